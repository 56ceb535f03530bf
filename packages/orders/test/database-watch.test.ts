import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createLog } from '@payonce/core/runtime/log';
import {
  type DatabaseWatch,
  describeFitness,
  watchDatabase,
} from '@payonce/orders/database/database-watch';
import { KNOWN_MIGRATIONS } from '@payonce/prisma/known-migrations';
import { eventually } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { query } from '@payonce/testkit/stores/sessions';
import { expect, inject, onTestFinished, test } from 'vitest';

/** A watched database that this test may alter. */
async function watched(
  template: 'migrated' | 'empty',
  durability: 'checked' | 'managed' = 'checked',
) {
  const postgresUrl = inject('postgresUrl');
  const templateDatabase = template === 'migrated' ? inject('templateDatabase') : null;
  const { url, away, drop } = await freshDatabase({ postgresUrl, templateDatabase });
  onTestFinished(drop);
  const lines: string[] = [];
  const log = createLog(
    { name: 'test', level: 'info' },
    { write: (line: string) => void lines.push(line) },
  );
  const watch = watchDatabase({ url, applicationName: 'watch-test', durability, log });
  onTestFinished(() => watch.stop());
  const run = (...statements: string[]) => query(url, ...statements);
  return { watch, run, lines, away, url };
}

/** The result of a check that begins now: one that is under way may have asked before. */
async function found(watch: DatabaseWatch): Promise<string> {
  await watch.look();
  return describeFitness(await watch.look());
}

test('the migrations that the build knows are those of the folder', () => {
  const folder = new URL('../../../prisma/migrations/', import.meta.url);
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(KNOWN_MIGRATIONS).toEqual(names.map(({ name }) => name).sort());
});

test('a migrated database is ready, and so is one of a later release', async () => {
  const { watch, run } = await watched('migrated');
  expect(watch.mayWork()).toBe(false);
  expect(await found(watch)).toBe('ready');
  expect(watch.mayWork()).toBe(true);
  await run(`INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
    VALUES ('later', '', '99991231000000_of_a_later_release', now())`);
  expect(await found(watch)).toBe('ready');
});

test('a database without a schema, with an older one, or with an interrupted migration is not', async () => {
  const empty = await watched('empty');
  expect(await found(empty.watch)).toContain('the schema is not migrated: run');
  expect(empty.watch.mayWork()).toBe(false);
  await expect(empty.watch.assure()).rejects.toThrow('does not respond');
  const { watch, run } = await watched('migrated');
  const newest = KNOWN_MIGRATIONS.at(-1) ?? '';
  await run(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${newest}'`);
  expect(await found(watch)).toContain(`(missing: ${newest})`);
  await run(`DELETE FROM _prisma_migrations WHERE migration_name = '${newest}'`);
  expect(await found(watch)).toContain(`(missing: ${newest})`);
});

test('the clock is the database’s; before the first response there is none', async () => {
  const { watch } = await watched('migrated');
  expect(() => watch.clock()).toThrow();
  await watch.look();
  expect(Math.abs(watch.differenceMs() ?? Number.NaN)).toBeLessThan(1_000);
  expect(Math.abs(watch.clock().getTime() - Date.now())).toBeLessThan(1_000);
});

test('a database that goes down stops the work after a moment, and its return starts it again', async () => {
  const { watch, away } = await watched('migrated');
  await watch.look();
  await away(true);
  expect(await found(watch)).toBe('down');
  await expect(watch.assure()).rejects.toThrow();
  await eventually(() => expect(watch.mayWork()).toBe(false));
  await away(false);
  await eventually(() => expect(watch.mayWork()).toBe(true));
});

test('a caller of `assure` waits for a check that began after the last connection', async () => {
  const { watch, run } = await watched('migrated');
  await watch.assure();
  const newest = KNOWN_MIGRATIONS.at(-1);
  await run(`DELETE FROM _prisma_migrations WHERE migration_name = '${newest}'`);
  await watch.assure(); // it is asked every few seconds only
  watch.suspect();
  await expect(watch.assure()).rejects.toThrow();
});

test('managed is logged at each start', async () => {
  const { watch, lines } = await watched('migrated', 'managed');
  expect(await found(watch)).toBe('ready');
  expect(lines.join()).toContain('database.durability_unchecked');
});

test('a database that does not tell its position is ready, and the log says so once', async () => {
  const { url, lines, run } = await watched('migrated');
  const role = `plain_${randomBytes(6).toString('hex')}`;
  await run(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC',
  );
  onTestFinished(() => run(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`).then(() => {}));
  const log = createLog(
    { name: 'test', level: 'info' },
    { write: (line: string) => void lines.push(line) },
  );
  const plain = Object.assign(new URL(url), { username: role, password: 'x' }).href;
  const watch = watchDatabase({
    url: plain,
    applicationName: 'watch-test',
    durability: 'checked',
    log,
  });
  onTestFinished(() => watch.stop());
  expect(await found(watch)).toBe('ready');
  expect(await found(watch)).toBe('ready');
  const said = lines.filter((line) => line.includes('database.position_unavailable'));
  expect(said).toHaveLength(1);
});
