import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freshDatabase } from '@payonce/testkit/database';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { checkDrift } from '../drift.js';
import { packageFolder } from '../engine.js';
import { migrate } from '../migrate.js';

const postgresUrl = inject('postgresUrl');

async function database(kind: 'empty' | 'migrated') {
  const templateDatabase = kind === 'migrated' ? inject('templateDatabase') : null;
  const fresh = await freshDatabase({ postgresUrl, templateDatabase });
  onTestFinished(fresh.drop);
  return fresh;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Named by their date, so in the order in which they were written. */
const MIGRATIONS = readdirSync(join(import.meta.dirname, '..', 'migrations'), {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'payonce-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('migrating', () => {
  test('an empty database gets every migration once, and nobody stays connected', async () => {
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

  test('migrators at the same time take turns', async () => {
    const { url } = await database('empty');
    const results = await Promise.all([1, 2, 3].map(() => migrate({ databaseUrl: url })));
    expect(results.flatMap((result) => result.applied)).toEqual(MIGRATIONS);
  });

  test('a database of a newer version is refused with a sentence that names what it has', async () => {
    const { url } = await database('migrated');
    await query(
      url,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
       VALUES ('x', 'x', '29991231000000_tomorrow', now())`,
    );
    await expect(migrate({ databaseUrl: url })).rejects.toThrow(
      /newer than this version of payonce: it has 29991231000000_tomorrow/,
    );
  });

  test('a migration that breaks off leaves nothing half done, and is named at the next run', async () => {
    const { url } = await database('empty');
    const folder = join(await temporaryFolder(), 'migrations');
    await cp(new URL('migrations', packageFolder), folder, { recursive: true });
    await mkdir(join(folder, '29990101000000_broken'));
    await writeFile(
      join(folder, '29990101000000_broken', 'migration.sql'),
      'CREATE TABLE half (id int); SELECT 1 / 0;',
    );
    const settings = { databaseUrl: url, migrationsFolder: pathToFileURL(`${folder}/`) };
    await expect(migrate(settings)).rejects.toThrow(/division by zero/);
    expect(await query(url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
    await expect(migrate(settings)).rejects.toThrow(/29990101000000_broken broke off/);
  });
});

describe('drift', () => {
  test('the migrations make exactly what schema.prisma says', async () => {
    const { url } = await database('migrated');
    expect(await checkDrift({ databaseUrl: url })).toEqual({ drifted: false });
  });

  test('a column that no migration made is found', async () => {
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

describe("the queue's role", () => {
  async function migratedWithQueue() {
    const { url } = await database('empty');
    const role = `queue_${randomBytes(6).toString('hex')}`;
    const queueUrl = new URL(url);
    queueUrl.username = role;
    queueUrl.password = encodeURIComponent("it's$ecret");
    await migrate({ databaseUrl: url, queueDatabaseUrl: queueUrl.href });
    onTestFinished(async () => {
      await query(url, `DROP OWNED BY ${role}`);
      await query(postgresUrl, `DROP ROLE ${role}`);
    });
    return { url, queueUrl: queueUrl.href };
  }

  test('it works in its own schema, where BullMQ finds its tables', async () => {
    const { queueUrl } = await migratedWithQueue();
    const rows = await query(queueUrl, 'SELECT count(*)::int AS n FROM payonce_queue.migration');
    expect(rows).toEqual([{ n: expect.any(Number) }]);
    await query(queueUrl, 'CREATE SEQUENCE payonce_queue.of_its_own');
    await query(queueUrl, 'CREATE TEMPORARY TABLE of_one_bulk (id int)');
  });

  test('it can neither see nor touch an order, nor make anything outside its schema', async () => {
    const { queueUrl } = await migratedWithQueue();
    for (const statement of [
      'SELECT * FROM public.orders',
      'DELETE FROM public.facts',
      'SELECT * FROM public._prisma_migrations',
      'CREATE TABLE public.mine (id int)',
      'CREATE SCHEMA mine',
    ]) {
      await expect(query(queueUrl, statement), statement).rejects.toThrow(/permission denied/);
    }
  });

  test('migrating again takes a new password and keeps the jobs', async () => {
    const { url, queueUrl } = await migratedWithQueue();
    await query(queueUrl, 'CREATE TABLE payonce_queue.kept (id int)');
    const renewed = new URL(queueUrl);
    renewed.password = 'another';
    await migrate({ databaseUrl: url, queueDatabaseUrl: renewed.href });
    expect(await query(renewed.href, 'SELECT * FROM payonce_queue.kept')).toEqual([]);
  });

  test('an owner who is no superuser migrates again after the role has made sequences', async () => {
    const { url, name } = await database('empty');
    const [owner, role] = [1, 2].map(() => `test_${randomBytes(6).toString('hex')}`);
    await query(postgresUrl, `CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD 'x'`);
    await query(postgresUrl, `ALTER DATABASE ${name} OWNER TO ${owner}`);
    const as = (user = '') => Object.assign(new URL(url), { username: user, password: 'x' }).href;
    const settings = { databaseUrl: as(owner), queueDatabaseUrl: as(role) };
    await migrate(settings);
    await query(as(role), 'CREATE SEQUENCE payonce_queue.of_its_own');
    expect((await migrate(settings)).applied).toEqual([]);
    await query(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await query(url, `DROP OWNED BY ${owner} CASCADE`);
    await query(postgresUrl, `ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
    await query(postgresUrl, `DROP ROLE ${owner}`);
  });

  test('the role that owns the orders is refused as the queue role', async () => {
    const { url } = await database('migrated');
    const withPassword = new URL(url);
    withPassword.password ||= 'x';
    await expect(
      migrate({ databaseUrl: url, queueDatabaseUrl: withPassword.href }),
    ).rejects.toThrow(/a role of its own/);
  });
});
