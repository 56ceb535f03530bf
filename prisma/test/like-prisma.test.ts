import { cp } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { migrate } from '../migrate.js';
import { packageFolder } from '../migrations.js';
import { listForEngine, NO_FILTERS, readSchema, withSchemaEngine } from './engine.js';
import { addTo, database, folderOf, query, temporaryFolder } from './migration-support.js';

async function applyWithPrisma(databaseUrl: string, folder: URL): Promise<readonly string[]> {
  const migrationsList = await listForEngine(folder);
  const result = await withSchemaEngine(databaseUrl, await readSchema(), (engine) =>
    engine.applyMigrations({ migrationsList, filters: NO_FILTERS }),
  );
  return result.appliedMigrationNames;
}

async function applyWithOurs(databaseUrl: string, folder: URL): Promise<readonly string[]> {
  return (await migrate({ databaseUrl, migrationsFolder: folder })).applied;
}

/** The rows without IDs and times, whose form and order are compared instead. */
const ROWS = `SELECT migration_name, checksum, applied_steps_count, logs IS NULL AS without_logs,
  id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AS has_uuid,
  finished_at IS NULL AS unfinished, finished_at >= started_at AS in_sequence,
  started_at > now() - interval '1 minute' AS now, rolled_back_at
  FROM _prisma_migrations ORDER BY started_at, migration_name`;

const TABLE = `SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid) AS preset
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = '_prisma_migrations'::regclass AND a.attnum > 0 ORDER BY a.attnum`;
const CONSTRAINTS = `SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
  WHERE conrelid = '_prisma_migrations'::regclass ORDER BY conname`;

async function everythingOf(url: string) {
  return {
    rows: await query(url, ROWS),
    table: await query(url, TABLE),
    constraints: await query(url, CONSTRAINTS),
  };
}

async function ownFolder(): Promise<URL> {
  const folder = await temporaryFolder();
  await cp(new URL('migrations', packageFolder), folder, { recursive: true });
  return pathToFileURL(`${folder}/`);
}

describe('_prisma_migrations is written as by Prisma', () => {
  test('for our migrations: the table, its constraints, and every row', async () => {
    const [ours, theirs] = [await database('empty'), await database('empty')];
    const folder = await ownFolder();
    const applied = await applyWithOurs(ours.url, folder);
    expect(applied).toEqual(await applyWithPrisma(theirs.url, folder));
    expect(applied.length).toBeGreaterThan(3);
    expect(await everythingOf(ours.url)).toEqual(await everythingOf(theirs.url));
  });

  test('for files with CRLF, no last line end, many statements, none, and texts beyond ASCII', async () => {
    const [ours, theirs] = [await database('empty'), await database('empty')];
    const folder = await folderOf({
      '1_crlf': 'CREATE TABLE a (id int);\r\nINSERT INTO a VALUES (1);\r\n',
      '2_no_end': 'CREATE TABLE b (id int)',
      '3_empty': '',
      '4_comment': '-- nothing\n',
      '5_beyond': "CREATE TABLE c (t text DEFAULT '支付宝 ✓');",
      '6_function': `CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
        SELECT f();`,
      '7_outside': '-- outside a transaction\nCREATE INDEX CONCURRENTLY a_idx ON a (id);\n',
    });
    expect(await applyWithOurs(ours.url, folder)).toEqual(
      await applyWithPrisma(theirs.url, folder),
    );
    expect(await everythingOf(ours.url)).toEqual(await everythingOf(theirs.url));
  });

  test('for one that fails in the middle: what went before is kept, its row is the same', async () => {
    const [ours, theirs] = [await database('empty'), await database('empty')];
    const folder = await folderOf({
      '1_good': 'CREATE TABLE good (id int);',
      '2_bad': 'CREATE TABLE half (id int);\nSELECT 1 / 0;',
      '3_never': 'CREATE TABLE never (id int);',
    });
    await expect(applyWithOurs(ours.url, folder)).rejects.toThrow(/division by zero/);
    await expect(applyWithPrisma(theirs.url, folder)).rejects.toThrow(/division by zero/);
    expect(await everythingOf(ours.url)).toEqual(await everythingOf(theirs.url));
    for (const { url } of [ours, theirs]) {
      // Prisma also writes its stack, so only PostgreSQL's message is compared.
      const logs = await query(
        url,
        "SELECT logs LIKE '%ERROR: division by zero%' AS told FROM _prisma_migrations WHERE logs IS NOT NULL",
      );
      expect(logs).toEqual([{ told: true }]);
      expect(await query(url, "SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
      // Both refuse the other's failed migration.
      await expect(applyWithPrisma(url, folder)).rejects.toThrow(/2_bad/);
      await expect(applyWithOurs(url, folder)).rejects.toThrow(/2_bad broke off/);
    }
  });

  test('each continues the work of the other, in turns', async () => {
    for (const [first, second] of [
      [applyWithOurs, applyWithPrisma],
      [applyWithPrisma, applyWithOurs],
    ] as const) {
      const { url } = await database('empty');
      const folder = await folderOf({ '1_a': 'CREATE TABLE a (id int);' });
      expect(await first(url, folder)).toEqual(['1_a']);
      await addTo(folder, '2_b', 'CREATE TABLE b (id int);');
      expect(await second(url, folder)).toEqual(['2_b']);
      await addTo(folder, '3_c', 'CREATE TABLE c (id int);');
      expect(await first(url, folder)).toEqual(['3_c']);
      expect(await second(url, folder)).toEqual([]);
    }
  });
});
