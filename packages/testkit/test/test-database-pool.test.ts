import { openSession } from '@payonce/testkit/stores/sessions';
import { createTestDatabasePool, POOLED_CLIENT } from '@payonce/testkit/stores/test-database-pool';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';

/** Connects at its first query, like Prisma's clients. */
function connect(connectionString: string) {
  const pool = new pg.Pool({ connectionString, max: 2, application_name: POOLED_CLIENT });
  pool.on('error', () => {}); // cut when its database is dropped
  return {
    query: (text: string) => pool.query(text),
    connect: () => pool.connect(),
    $disconnect: () => pool.end(),
  };
}

const server = () => ({
  postgresUrl: inject('postgresUrl'),
  templateDatabase: inject('templateDatabase'),
});

const ORDER = `INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
  VALUES ('m', 'A1', 1, 'CNY', now(), now()) RETURNING id`;

test('a released database is taken again, with its client, as if it had been empty', async () => {
  const take = createTestDatabasePool(connect);
  const first = await take(server());
  expect((await first.client.query(ORDER)).rows).toEqual([{ id: '1' }]);
  await first.release();

  const second = await take(server());
  onTestFinished(second.release);
  expect([second.name, second.client]).toEqual([first.name, first.client]);
  expect((await second.client.query(ORDER)).rows).toEqual([{ id: '1' }]);
});

test('two at once are two databases', async () => {
  const take = createTestDatabasePool(connect);
  const both = await Promise.all([take(server()), take(server())]);
  for (const { release } of both) onTestFinished(release);
  expect(new Set(both.map(({ name }) => name)).size).toBe(2);
});

test.each([
  ['a constraint was added', 'ALTER TABLE orders ADD CONSTRAINT more CHECK (amount > 0)'],
  ['an index was dropped', 'DROP INDEX facts_order_id_key_key'],
  ['a trigger was switched off', 'ALTER TABLE orders DISABLE TRIGGER ALL'],
  ['a column may be empty', 'ALTER TABLE orders ALTER COLUMN currency DROP NOT NULL'],
  ['a table was added', 'CREATE TABLE left_over (id int)'],
])('a database in which %s is not taken again', async (_what, change) => {
  const take = createTestDatabasePool(connect);
  const first = await take(server());
  await first.client.query(change);
  await first.release();
  const second = await take(server());
  onTestFinished(second.release);
  expect(second.name).not.toBe(first.name);
});

test('a database in which a client could still change data is not taken again', async () => {
  const take = createTestDatabasePool(connect);
  const first = await take(server());
  await openSession(first.url);
  await first.release();

  const second = await take(server());
  expect(second.name).not.toBe(first.name);
  const holder = await second.client.connect();
  holder.on('error', () => {});
  await holder.query('BEGIN');
  onTestFinished(() => holder.release(true));
  await second.release();

  const third = await take(server());
  onTestFinished(third.release);
  expect(third.name).not.toBe(second.name);
});
