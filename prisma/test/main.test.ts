import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import { expect, test } from 'vitest';
import { packageFolder } from '../migrations.js';
import { database, query } from './migration-support.js';

const MAIN = fileURLToPath(new URL('dist/main.js', packageFolder));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly tookMs: number;
}

function run(args: readonly string[], databaseUrl?: string): Promise<Ended> {
  const env = { PATH: process.env.PATH, ...(databaseUrl && { DATABASE_URL: databaseUrl }) };
  const began = performance.now();
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (failure, out, error) => {
      const tookMs = performance.now() - began;
      const code = failure === null ? 0 : Number(failure.code);
      resolve({ code, out: out.trim(), error: error.trim(), tookMs });
    });
  });
}

test('on a database that is up to date the tool ends at once', async () => {
  const { url } = await database('migrated');
  // The faster of two: other tests keep the machine busy.
  const runs = [await run([], url), await run([], url)];
  for (const { code, out } of runs) expect({ code, out }).toEqual({ code: 0, out: 'up to date' });
  const tookMs = Math.min(...runs.map((ended) => ended.tookMs));
  if (process.env.PAYONCE_TEST_FULL) console.log(`up to date: ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(2_000);
});

test('--check lists the pending migrations and changes nothing', async () => {
  const { url } = await database('empty');
  const check = await run(['--check'], url);
  expect(check).toMatchObject({ code: 2, out: expect.stringMatching(/^would apply .*_initial, /) });
  const tables = await query(url, `SELECT to_regclass('_prisma_migrations') AS name`);
  expect(tables).toEqual([{ name: null }]);
  const applied = await run([], url);
  expect(applied).toMatchObject({ code: 0, out: check.out.replace('would apply', 'applied') });
  expect(await run(['--check'], url)).toMatchObject({ code: 0, out: 'up to date' });
});

test('--rolled-back lets an interrupted migration be applied again', async () => {
  const { url } = await database('migrated');
  // In a transaction: the tool itself goes on with one outside.
  const name = '20261201070000_rewinds';
  await query(
    url,
    `UPDATE _prisma_migrations SET finished_at = NULL, applied_steps_count = 0, logs = 'ERROR: x'
     WHERE migration_name = '${name}'`,
  );
  const refused = await run([], url);
  expect(refused).toMatchObject({
    code: 1,
    error: expect.stringContaining(`--rolled-back ${name}`),
  });
  expect(await run(['--rolled-back', name], url)).toMatchObject({ code: 0 });
  expect(await run(['--check'], url)).toMatchObject({ code: 2, out: `would apply ${name}` });
  expect(await run(['--rolled-back', name], url)).toMatchObject({
    code: 1,
    error: `not migrated: no migration ${name} broke off in this database.`,
  });
});

test('an error is one line, without a stack', async () => {
  const help = await run(['--help']);
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--check') });
  expect(await run([])).toMatchObject({
    code: 1,
    error: 'not migrated: DATABASE_URL is not set (see --help)',
  });
  expect(await run(['--cheque'], 'postgres://x')).toMatchObject({
    code: 1,
    error: expect.stringContaining("Unknown option '--cheque'"),
  });
  const { error, code } = await run([], `postgres://x@localhost:${await anyFreePort()}/x`);
  expect(code).toBe(1);
  expect(error).toMatch(/^not migrated: .*ECONNREFUSED/);
  expect(error).not.toContain('\n');
});
