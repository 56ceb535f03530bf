import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { migrate, pendingMigrations } from '../migrate.js';
import { addTo, database, folderOf, query, session } from './migration-support.js';

const NUMBERS = 'CREATE TABLE numbers (id int, n int);';
const INDEX = '-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY n_key ON numbers (n);\n';

const STATE = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'n_key'::regclass`;
const ROWS = `SELECT finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled_back,
  logs IS NOT NULL AS has_logs FROM _prisma_migrations
  WHERE migration_name = '2_index' ORDER BY started_at`;

/**
 * Migrated except for the index: its build failed because of two equal numbers and left it invalid.
 */
async function withFailedIndex() {
  const { url } = await database('empty');
  const folder = await folderOf({
    '1_numbers': `${NUMBERS} INSERT INTO numbers VALUES (1, 7), (2, 7);`,
    '2_index': INDEX,
    '3_after': 'CREATE TABLE after_it (id int);',
  });
  const settings = { databaseUrl: url, migrationsFolder: folder };
  await expect(migrate(settings)).rejects.toThrow(/2_index failed: could not create unique index/);
  return { url, settings };
}

test('one that failed is run again at the next start: its invalid index is dropped first', async () => {
  const { url, settings } = await withFailedIndex();
  expect(await query(url, STATE)).toEqual([{ valid: false }]);
  expect(await pendingMigrations(settings)).toEqual(['2_index', '3_after']);
  await query(url, 'UPDATE numbers SET n = id');
  const lines: string[] = [];
  const { applied } = await migrate({ ...settings, log: (line) => lines.push(line) });
  expect(applied).toEqual(['2_index', '3_after']);
  expect(lines).toContain('2_index: the invalid index n_key is dropped');
  expect(await query(url, STATE)).toEqual([{ valid: true }]);
  expect(await query(url, ROWS)).toEqual([
    { finished: false, rolled_back: true, has_logs: true },
    { finished: true, rolled_back: false, has_logs: false },
  ]);
});

test('one that fails again is tried at each start, and blocks the later ones', async () => {
  const { url, settings } = await withFailedIndex();
  await expect(migrate(settings)).rejects.toThrow(/2_index failed: could not create unique index/);
  expect(await query(url, `SELECT to_regclass('after_it') AS name`)).toEqual([{ name: null }]);
  expect(await query(url, ROWS)).toHaveLength(2);
});

test('one whose process was killed is run again', async () => {
  const { url, name } = await database('empty');
  const folder = await folderOf({ '1_numbers': NUMBERS, '2_index': INDEX });
  const settings = { databaseUrl: url, migrationsFolder: folder };
  // CREATE INDEX CONCURRENTLY waits for every transaction that may still see rows without it.
  const old = await session(url, 'somebody');
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await old.query('CREATE TEMPORARY TABLE mine (id int)');
  const lines: string[] = [];
  const broken = expect(
    migrate({ ...settings, log: (line) => lines.push(line) }),
  ).rejects.toThrow();
  await eventually(() => {
    expect(lines.join()).toMatch(/2_index waits for .* held by process \d+ \(user \w+, somebody\)/);
  });
  await query(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = '${name}' AND application_name = 'payonce-migrate'`,
  );
  await broken;
  await old.query('ROLLBACK');
  expect(await query(url, STATE)).toEqual([{ valid: false }]);
  expect((await migrate(settings)).applied).toEqual(['2_index']);
  expect(await query(url, STATE)).toEqual([{ valid: true }]);
});

test('one that was interrupted between its end and its row is not run again', async () => {
  const { url } = await database('empty');
  const folder = await folderOf({ '1_numbers': NUMBERS, '2_index': INDEX });
  const settings = { databaseUrl: url, migrationsFolder: folder };
  await migrate(settings);
  const before = await query(url, `SELECT 'n_key'::regclass::oid AS oid`);
  await query(
    url,
    `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '2_index'`,
  );
  expect((await migrate(settings)).applied).toEqual(['2_index']);
  expect(await query(url, `SELECT 'n_key'::regclass::oid AS oid`)).toEqual(before);
});

test('a second statement is refused before the first one runs, and nothing is recorded', async () => {
  const { url } = await database('empty');
  const folder = await folderOf({
    '1_numbers': NUMBERS,
    '2_index': `${INDEX}CREATE INDEX CONCURRENTLY id_idx ON numbers (id);`,
  });
  const settings = { databaseUrl: url, migrationsFolder: folder };
  for (let run = 0; run < 2; run++) {
    await expect(migrate(settings)).rejects.toThrow(/only one statement/);
  }
  expect(await query(url, `SELECT to_regclass('n_key') AS name`)).toEqual([{ name: null }]);
  expect(await query(url, ROWS)).toEqual([]);
});

test('an index without a name is refused: its remains could not be found again', async () => {
  const { url } = await database('empty');
  const folder = await folderOf({
    '1_numbers': NUMBERS,
    '2_index': '-- outside a transaction\nCREATE INDEX CONCURRENTLY ON numbers (n);',
  });
  await expect(migrate({ databaseUrl: url, migrationsFolder: folder })).rejects.toThrow(
    /2_index .* the index's name/,
  );
});

test('the marker counts in the first line alone', async () => {
  const { url } = await database('empty');
  const folder = await folderOf({ '1_numbers': NUMBERS, '2_index': `\n${INDEX}` });
  await expect(migrate({ databaseUrl: url, migrationsFolder: folder })).rejects.toThrow(
    /cannot run inside a transaction block/,
  );
});

test('it does not deadlock with a migrator of the previous release that waits for its turn', async () => {
  const { url, name } = await database('empty');
  const folder = await folderOf({ '1_numbers': NUMBERS });
  const settings = { databaseUrl: url, migrationsFolder: folder };
  await migrate(settings);
  await addTo(folder, '2_index', INDEX);
  // A writer keeps the index in its first phase until the other migrator waits inside a statement.
  // That one has a snapshot from before the last phase, which waits for it.
  const holder = await session(url, 'holder');
  await holder.query('BEGIN; LOCK TABLE numbers IN ROW EXCLUSIVE MODE');
  const former = await session(url, 'former');
  const lines: string[] = [];
  const migrated = migrate({
    ...settings,
    log: (line) => lines.push(line),
    patience: { pauseMs: 50, giveUpAfterMs: 20_000 },
  });
  await eventually(() => expect(lines.join()).toContain('2_index waits for'));
  const waiting = former.query('SELECT pg_advisory_lock(72707369)').catch(() => undefined);
  await eventually(async () => {
    const rows = await query(
      url,
      `SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE a.datname = '${name}' AND l.locktype = 'advisory' AND NOT l.granted`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });
  await holder.query('COMMIT');
  expect((await migrated).applied).toEqual(['2_index']);
  await waiting;
  expect(lines.join()).toMatch(/2_index waits for .*former/);
  expect(await query(url, STATE)).toEqual([{ valid: true }]);
});
