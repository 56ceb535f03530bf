import { eventually } from '@payonce/testkit/machine/poll';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

/** Scans of the index of those orders, so far. */
async function scans(): Promise<bigint> {
  const [found] = await server.prisma.$queryRaw<{ scans: bigint }[]>`
    SELECT idx_scan AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'orders_attention_idx'`;
  return found?.scans ?? 0n;
}

it.each(['any', 'paid_late'])(
  'among many orders, the few that need attention are found without reading the rest: %s',
  async (attention) => {
    await server.prisma.$executeRaw`
      INSERT INTO orders (merchant, number, amount, currency, attention, created_at, updated_at)
      SELECT 'default', ${attention} || i, 1, 'CNY',
        CASE WHEN i % 1000 = 0 THEN ARRAY['paid_late'] ELSE '{}' END, now(), now()
      FROM generate_series(1, 5000) AS i`;
    await server.prisma.$executeRaw`ANALYZE orders`;
    const before = await scans();
    const answer = await call(server, 'GET', `/orders?attention=${attention}&limit=3`);
    expect(answer.json().orders).toMatchObject(
      [5000, 4000, 3000].map((number) => ({ orderNumber: `${attention}${number}` })),
    );
    // PostgreSQL counts a second later.
    await eventually(async () => expect(await scans()).toBeGreaterThan(before));
  },
);
