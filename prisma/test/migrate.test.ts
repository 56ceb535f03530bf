import { readdirSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '@payonce/testkit/machine/poll';
import { describe, expect, inject, test } from 'vitest';
import { migrate } from '../migrate.js';
import { knownMigrations, packageFolder } from '../migrations.js';
import { checkDrift } from './drift.js';
import { addTo, database, folderOf, query, temporaryFolder } from './migration-support.js';

const postgresUrl = inject('postgresUrl');

/** Named by their date, so in the order in which they were written. */
const MIGRATIONS = readdirSync(join(import.meta.dirname, '..', 'migrations'), {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

describe('migrating', () => {
  test('an empty database gets every migration once, and no connection stays open', async () => {
    const { url, name } = await database('empty');
    const first = await migrate({ databaseUrl: url });
    const second = await migrate({ databaseUrl: url });
    expect(first.applied).toEqual(MIGRATIONS);
    expect(second.applied).toEqual([]);
    const connected = await query(
      postgresUrl,
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = '${name}'`,
    );
    expect(connected).toEqual([{ n: 0 }]);
  });

  test('concurrent migrators take turns', async () => {
    const { url } = await database('empty');
    const results = await Promise.all([1, 2, 3].map(() => migrate({ databaseUrl: url })));
    expect(results.flatMap((result) => result.applied)).toEqual(MIGRATIONS);
  });

  test('a database of a newer release is refused with a sentence that names its migrations', async () => {
    const { url } = await database('migrated');
    await query(
      url,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
       VALUES ('x', 'x', '29991231000000_tomorrow', now())`,
    );
    await expect(migrate({ databaseUrl: url })).rejects.toThrow(
      /newer than this release of payonce: it has 29991231000000_tomorrow/,
    );
  });

  test('the newest of the known migrations is what a migrated database has last', async () => {
    const { url } = await database('migrated');
    expect(knownMigrations()).toEqual(MIGRATIONS);
    const rows = await query(url, 'SELECT max(migration_name) AS name FROM _prisma_migrations');
    expect(rows).toEqual([{ name: knownMigrations().at(-1) }]);
  });

  test('a database that is not empty and was never migrated is refused, and stays unchanged', async () => {
    const { url } = await database('empty');
    await query(url, 'CREATE TABLE customers (id int); CREATE VIEW v AS SELECT 1');
    await expect(migrate({ databaseUrl: url })).rejects.toThrow(
      /not empty \(customers\) and has no table _prisma_migrations. Name an empty database/,
    );
    expect(await query(url, `SELECT to_regclass('_prisma_migrations') AS name`)).toEqual([
      { name: null },
    ]);
  });

  test("another application's database is refused, also one that Prisma migrated", async () => {
    const { url } = await database('empty');
    const folder = await folderOf({ '20200101000000_theirs': 'CREATE TABLE theirs (id int);' });
    await migrate({ databaseUrl: url, migrationsFolder: folder });
    await expect(migrate({ databaseUrl: url })).rejects.toThrow(/belongs to another application/);
  });

  test('views alone, as managed services create them, do not count as use of the database', async () => {
    const { url } = await database('empty');
    await query(url, 'CREATE VIEW statistics AS SELECT 1');
    expect((await migrate({ databaseUrl: url })).applied).toEqual(MIGRATIONS);
  });

  test('a file that changed after it was applied is refused; other line ends are no change', async () => {
    const { url } = await database('empty');
    const text = 'CREATE TABLE a (id int);\n-- the end\n';
    await migrate({ databaseUrl: url, migrationsFolder: await folderOf({ '1_a': text }) });
    const withCrLf = await folderOf({ '1_a': text.replaceAll('\n', '\r\n') });
    expect((await migrate({ databaseUrl: url, migrationsFolder: withCrLf })).applied).toEqual([]);
    const changed = await folderOf({ '1_a': `${text} `, '2_b': 'CREATE TABLE b (id int);' });
    await expect(migrate({ databaseUrl: url, migrationsFolder: changed })).rejects.toThrow(
      /1_a is not the file that was applied .* Restore the file from the release/,
    );
    expect(await query(url, `SELECT to_regclass('b') AS name`)).toEqual([{ name: null }]);
  });

  test('a folder that lacks a migration, or its file, is refused with instructions', async () => {
    const { url } = await database('empty');
    const folder = await folderOf({ '1_a': 'SELECT 1', '2_b': 'SELECT 1', '3_c': 'SELECT 1' });
    await migrate({ databaseUrl: url, migrationsFolder: folder });
    const lacking = await folderOf({ '1_a': 'SELECT 1', '3_c': 'SELECT 1' });
    await expect(migrate({ databaseUrl: url, migrationsFolder: lacking })).rejects.toThrow(
      /has 2_b, which prisma\/migrations lacks/,
    );
    await mkdir(new URL('4_d', folder));
    await expect(migrate({ databaseUrl: url, migrationsFolder: folder })).rejects.toThrow(
      /4_d has no migration.sql/,
    );
  });

  test('one that is older than the newest is applied too: two branches were merged', async () => {
    const { url } = await database('empty');
    const folder = await folderOf({ '1_a': 'SELECT 1', '3_c': 'SELECT 1' });
    await migrate({ databaseUrl: url, migrationsFolder: folder });
    await addTo(folder, '2_b', 'SELECT 1');
    expect((await migrate({ databaseUrl: url, migrationsFolder: folder })).applied).toEqual([
      '2_b',
    ]);
  });

  test('a process that ends in the middle leaves nothing, and the next one begins again', async () => {
    const { url, name } = await database('empty');
    const folder = await folderOf({
      '1_slow': 'CREATE TABLE slow (id int); SELECT pg_sleep(30);',
    });
    const killed = expect(
      migrate({ databaseUrl: url, migrationsFolder: folder }),
    ).rejects.toThrow();
    await eventually(async () => {
      const ended = await query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'
         AND application_name = 'payonce-migrate' AND query LIKE '%pg_sleep(30)%'`,
      );
      expect(ended).toHaveLength(1);
    });
    await killed;
    expect(await query(url, 'SELECT * FROM _prisma_migrations')).toEqual([]);
    await writeFile(new URL('1_slow/migration.sql', folder), 'CREATE TABLE slow (id int);');
    expect((await migrate({ databaseUrl: url, migrationsFolder: folder })).applied).toEqual([
      '1_slow',
    ]);
  });

  test("a file's settings affect that file alone, and a role's search path affects none", async () => {
    const { url, name } = await database('empty');
    await query(url, `CREATE SCHEMA other; ALTER DATABASE ${name} SET search_path = other, public`);
    const folder = await folderOf({
      '1_a': 'SET search_path = other; SET statement_timeout = 100;',
      '2_b': 'SELECT pg_sleep(0.2); CREATE TABLE b (id int);',
    });
    await migrate({ databaseUrl: url, migrationsFolder: folder });
    const tables = await query(url, `SELECT schemaname FROM pg_tables WHERE tablename = 'b'`);
    expect(tables).toEqual([{ schemaname: 'public' }]);
  });

  test('an interrupted migration leaves nothing half done, and is named at the next run', async () => {
    const { url } = await database('empty');
    const folder = join(await temporaryFolder(), 'migrations');
    await cp(new URL('migrations', packageFolder), folder, { recursive: true });
    const migrationsFolder = pathToFileURL(`${folder}/`);
    const broken = 'CREATE TABLE half (id int); SELECT 1 / 0;';
    await addTo(migrationsFolder, '29990101000000_broken', broken);
    const settings = { databaseUrl: url, migrationsFolder };
    await expect(migrate(settings)).rejects.toThrow(/division by zero/);
    expect(await query(url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
    await expect(migrate(settings)).rejects.toThrow(/29990101000000_broken broke off/);
  });
});

describe('drift', () => {
  test('the migrations create exactly the schema of schema.prisma', async () => {
    const { url } = await database('migrated');
    expect(await checkDrift({ databaseUrl: url })).toEqual({ drifted: false });
  });

  test('a column without a migration is found', async () => {
    const { url } = await database('migrated');
    const text = await readFile(new URL('schema.prisma', packageFolder), 'utf8');
    const file = join(await temporaryFolder(), 'schema.prisma');
    await writeFile(file, text.replace('model Order {', 'model Order {\n  planted Int?\n'));
    const drift = await checkDrift({ databaseUrl: url, schemaFile: pathToFileURL(file) });
    expect(drift).toEqual({ drifted: true, difference: expect.stringContaining('planted') });
  });

  test('a unique key that somebody dropped is found', async () => {
    const { url } = await database('migrated');
    await query(url, 'DROP INDEX facts_order_id_key_key');
    const drift = await checkDrift({ databaseUrl: url });
    expect(drift).toEqual({ drifted: true, difference: expect.stringContaining('facts') });
  });
});
