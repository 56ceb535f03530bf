import { applyNotifications } from '@payonce/core/notifications/apply';
import { createPrisma } from '@payonce/prisma/client';
import { expect, test } from 'vitest';
import { notification, payment, testDatabase } from './database-support.js';

const ORDERS = 10_000;
const BATCH = 100;

/** Shown once the session that read has ended. */
async function readFromEndToEnd(url: string): Promise<Record<string, bigint>> {
  const prisma = createPrisma({ url, poolSize: 1, applicationName: 'test' });
  const rows = await prisma.$queryRaw<{ table: string; times: bigint }[]>`
    SELECT relname AS table, seq_scan AS times FROM pg_stat_user_tables ORDER BY relname`;
  await prisma.$disconnect();
  return Object.fromEntries(rows.map(({ table, times }) => [table, times]));
}

test('a batch reads no table from end to end, also while the planner knows nothing of its size', async () => {
  const { url, clock, prisma } = await testDatabase();
  await prisma.$executeRaw`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT 'default', 'N' || i, 8888, 'CNY', now(), now() FROM generate_series(1, ${ORDERS}::int) i`;
  await prisma.$disconnect();
  const before = await readFromEndToEnd(url);

  const worker = createPrisma({ url, poolSize: 1, applicationName: 'test' });
  for (const from of [1, 1 + BATCH]) {
    const batch = Array.from({ length: BATCH }, (_, i) => notification(payment(`N${from + i}`)));
    await applyNotifications({ prisma: worker, clock }, batch); // new ones
    const outcomes = await applyNotifications({ prisma: worker, clock }, batch); // and copies
    expect(outcomes.every(({ copy }) => copy)).toBe(true);
  }
  await worker.$disconnect();

  expect(await readFromEndToEnd(url)).toEqual(before);
});
