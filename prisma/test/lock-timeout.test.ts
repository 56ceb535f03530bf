import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { migrate } from '../migrate.js';
import { database, folderOf, query, session } from './migration-support.js';

const FOLDER = {
  '1_numbers': 'CREATE TABLE numbers (id int);',
  '2_column': 'CREATE TABLE first (id int);\nALTER TABLE numbers ADD COLUMN n int;',
};

async function whileSomebodyReads(patience: { pauseMs: number; giveUpAfterMs: number }) {
  const { url } = await database('empty');
  const { '1_numbers': numbers } = FOLDER;
  await migrate({ databaseUrl: url, migrationsFolder: await folderOf({ '1_numbers': numbers }) });
  const reader = await session(url, 'a-reader');
  await reader.query('BEGIN; SELECT * FROM numbers');
  const lines: string[] = [];
  const result = migrate({
    databaseUrl: url,
    migrationsFolder: await folderOf(FOLDER),
    log: (line) => lines.push(line),
    patience,
  });
  return { url, reader, lines, result };
}

test('one that waits for a table lets others use it between its tries, and names the holder', async () => {
  const { url, reader, lines, result } = await whileSomebodyReads({
    pauseMs: 200,
    giveUpAfterMs: 20_000,
  });
  await eventually(() => {
    expect(lines.join('\n')).toMatch(
      /2_column waits for numbers, held by process \d+ \(user \w+, a-reader\) since \d{4}-/,
    );
  });
  // Behind the waiting ACCESS EXCLUSIVE lock, but no longer than one try of two seconds.
  const began = performance.now();
  await query(url, 'INSERT INTO numbers VALUES (1)');
  expect(performance.now() - began).toBeLessThan(3_000);
  await eventually(() => expect(lines.join('\n')).toContain('2_column got no lock'));
  await reader.query('COMMIT');
  expect((await result).applied).toEqual(['2_column']);
  const rows = await query(url, 'SELECT count(*)::int AS n FROM _prisma_migrations');
  expect(rows).toEqual([{ n: 2 }]);
});

test('one that never gets its lock gives up, leaves nothing, and does not count as failed', async () => {
  const { url, reader, result } = await whileSomebodyReads({ pauseMs: 10, giveUpAfterMs: 0 });
  await expect(result).rejects.toThrow(/2_column got no lock in time .* run this tool again/);
  expect(await query(url, `SELECT to_regclass('first') AS name`)).toEqual([{ name: null }]);
  await reader.query('COMMIT');
  const migrationsFolder = await folderOf(FOLDER);
  expect((await migrate({ databaseUrl: url, migrationsFolder })).applied).toEqual(['2_column']);
});

test('one that waits for its turn names the holder, and takes it when it is free', async () => {
  const { url } = await database('empty');
  const other = await session(url, 'another-migrator');
  await other.query('SELECT pg_advisory_lock(72707369)');
  const lines: string[] = [];
  const result = migrate({
    databaseUrl: url,
    migrationsFolder: await folderOf(FOLDER),
    log: (line) => lines.push(line),
  });
  await eventually(() => {
    expect(lines.join()).toMatch(/waits for another migrator: process \d+ .*another-migrator/);
  });
  await other.end();
  expect((await result).applied).toEqual(Object.keys(FOLDER));
});
