import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { expect, inject, onTestFinished, test } from 'vitest';
import { minute, notification, payment, silent } from './database-support.js';

const ORDERS = 10_000;
const BATCH = 100;

async function connected<T>(url: string, work: (prisma: PrismaClient) => Promise<T>): Promise<T> {
  const prisma = createPrisma({ url, poolSize: 1, applicationName: 'test' });
  return work(prisma).finally(() => prisma.$disconnect());
}

/** Visible once the session that read has ended. */
async function readFromEndToEnd(url: string): Promise<Record<string, bigint>> {
  const rows = await connected(
    url,
    (prisma) =>
      prisma.$queryRaw<{ table: string; times: bigint }[]>`
        SELECT relname AS table, seq_scan AS times FROM pg_stat_user_tables ORDER BY relname`,
  );
  return Object.fromEntries(rows.map(({ table, times }) => [table, times]));
}

test('a batch reads no table from end to end, even while the planner does not know its size', async () => {
  const { url, drop } = await freshDatabase({
    postgresUrl: inject('postgresUrl'),
    templateDatabase: inject('templateDatabase'),
  });
  onTestFinished(drop);
  await connected(
    url,
    (prisma) => prisma.$executeRaw`
      INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
      SELECT 'default', 'N' || i, 8888, 'CNY', now(), now() FROM generate_series(1, ${ORDERS}::int) i`,
  );
  const before = await readFromEndToEnd(url);

  await connected(url, async (prisma) => {
    const deps = { prisma, log: silent, clock: () => minute(0) };
    for (const from of [1, 1 + BATCH]) {
      const batch = Array.from({ length: BATCH }, (_, i) => notification(payment(`N${from + i}`)));
      await applyNotifications(deps, batch); // new ones
      const outcomes = await applyNotifications(deps, batch); // and copies
      expect(outcomes.every(({ copy }) => copy)).toBe(true);
    }
  });

  expect(await readFromEndToEnd(url)).toEqual(before);
});
