import { inTransaction, waitForLocks } from '@payonce/orders/database/transaction';
import { createPrisma, Prisma } from '@payonce/prisma/client';
import { expect, onTestFinished, test } from 'vitest';
import { silent, testDatabase } from './database-support.js';

test('a transaction has separate settings, whatever the session prefers, and leaves none behind', async () => {
  const { url } = await testDatabase();
  const prisma = createPrisma({ url, poolSize: 1, applicationName: 'test' });
  onTestFinished(() => prisma.$disconnect());
  await prisma.$executeRaw`SET default_transaction_isolation = 'serializable'`;
  const settings = () => prisma.$queryRaw`SELECT current_setting('enable_seqscan') AS scan`;
  const before = await settings();

  const inside = await inTransaction(
    { prisma, log: silent },
    (tx) => tx.$queryRaw`SELECT current_setting('transaction_isolation') AS level,
      current_setting('enable_seqscan') AS scan, current_setting('enable_hashjoin') AS hash,
      current_setting('enable_mergejoin') AS merge`,
  );

  const off = { scan: 'off', hash: 'off', merge: 'off' };
  expect(inside).toEqual([{ level: 'read committed', ...off }]);
  expect(await settings()).toEqual(before);
  expect(before).not.toMatchObject([{ scan: 'off' }]);
});

test('PostgreSQL ends a statement or wait that takes too long, inside and outside a transaction', async () => {
  const { prisma } = await testDatabase();
  const limits = Prisma.sql`SELECT current_setting('lock_timeout') AS lock,
    current_setting('statement_timeout') AS statement,
    current_setting('idle_in_transaction_session_timeout') AS idle`;
  const usual = { lock: '2s', statement: '10s', idle: '30s' };
  expect(await prisma.$queryRaw(limits)).toEqual([usual]);
  expect(await inTransaction({ prisma, log: silent }, (tx) => tx.$queryRaw(limits))).toEqual([
    usual,
  ]);
  const shorter = inTransaction(
    { prisma, log: silent },
    (tx) => tx.$queryRaw(limits),
    waitForLocks(500),
  );
  expect(await shorter).toEqual([{ ...usual, lock: '500ms' }]);
});

/** Sessions that begin with this value, as with a role's or a database's setting. */
async function preferring(value: string) {
  const { url: plain } = await testDatabase();
  const url = new URL(plain);
  url.searchParams.set('options', `-c synchronous_commit=${value}`);
  const prisma = createPrisma({ url: url.href, poolSize: 1, applicationName: 'test' });
  onTestFinished(() => prisma.$disconnect());
  return prisma;
}

const COMMIT_SETTING = Prisma.sql`SELECT current_setting('synchronous_commit') AS value`;

test.each([
  ['off', 'on'],
  ['local', 'on'],
  ['remote_write', 'on'],
  ['on', 'on'],
  ['remote_apply', 'remote_apply'],
])(
  'a session that prefers synchronous_commit=%s commits a transaction with %s',
  async (preferred, used) => {
    const prisma = await preferring(preferred);
    const settings = () => prisma.$queryRaw(COMMIT_SETTING);
    expect(await settings()).toEqual([{ value: preferred }]);
    const inside = await inTransaction({ prisma, log: silent }, (tx) =>
      tx.$queryRaw(COMMIT_SETTING),
    );
    expect(inside).toEqual([{ value: used }]);
    expect(await settings()).toEqual([{ value: preferred }]);
  },
);
