import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { deriveOrder } from '@payonce/orders/orders/derive';
import { registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  minute,
  notification,
  orderRow,
  statement,
  terms,
  testDatabase,
} from './database-support.js';

const at = fc.option(fc.integer({ min: 0, max: 3 }).map(minute));
const trade = fc.constantFrom('T1', 'T2');
const amount = fc.bigInt({ min: 1n, max: 9000n });

/** The facts of one notification; payments have the amount due, as others are held. */
const facts: fc.Arbitrary<Fact[]> = fc.oneof(
  fc.record({ trade, at }).map((one): Fact[] => [wechatPaid(one)]),
  fc
    .record({
      trade,
      at,
      amount,
      refundId: fc.constantFrom('R1', 'R2', 'R3'),
      status: fc.constantFrom('SUCCESS' as const, 'ABNORMAL' as const, 'CLOSED' as const),
    })
    .map((one): Fact[] => [
      wechatPaid({ trade: one.trade, at: null }),
      { kind: 'refund', rail: 'wechat', ...one },
    ]),
  fc
    .record({ trade: fc.option(trade), at })
    .map((one): Fact[] => [{ kind: 'closed', by: 'wechat', ...one }]),
);

function wechatPaid(one: { trade: string; at: Date | null }): Fact {
  return { kind: 'paid', rail: 'wechat', amount: 8888n, ...one };
}

/** Trades belong to one order: the same history for another order has different trades. */
function ofOrder(number: string, told: readonly Fact[]) {
  const own = told.map((fact): Fact => ({ ...fact, trade: ownTrade(number, fact.trade) }) as Fact);
  return notification(statement(number, number, own, { rail: 'wechat' }));
}

const ownTrade = (number: string, name: string | null) => name && `${number}-${name}`;

test('any history, in order or shuffled, repeated and concurrent: the same order row', async () => {
  const deps = await testDatabase();
  let round = 0;
  const history = fc.array(facts, { minLength: 1, maxLength: 8 });
  const retold = history.chain((told) =>
    fc
      .shuffledSubarray([...told, ...told], { minLength: told.length * 2 })
      .map((shuffled) => ({ told, shuffled })),
  );
  await fc.assert(
    fc.asyncProperty(retold, async ({ told, shuffled }) => {
      round += 1;
      const [straight, mixed] = [`S${round}`, `M${round}`];
      await registerOrder(deps, terms(straight));

      for (const one of told) await applyNotifications(deps, [ofOrder(straight, one)]);
      // Registered while its notifications arrive.
      await Promise.all([
        ...shuffled.map((one) => applyNotifications(deps, [ofOrder(mixed, one)])),
        registerOrder(deps, terms(mixed)),
      ]);
      const rows = await Promise.all([straight, mixed].map((number) => orderRow(deps, number)));
      const [a, b] = rows.map((row) => ({
        status: row.status,
        paid: row.paidAmount,
        refunded: row.refundedAmount,
        paidAt: row.paidAt,
        primary: row.primaryTrade?.slice(row.number.length),
        attention: row.attention,
      }));
      expect(b).toEqual(a);
      const derived = deriveOrder(told.flat());
      expect(a).toMatchObject({ status: derived.status, attention: derived.attention });
      expect(a?.paidAt).toEqual(derived.paidAt);
      expect(a?.refunded).toBe(derived.refundedAmount);
    }),
    { numRuns: 40 },
  );
  expect(await deps.prisma.notificationEvent.count({ where: { outcome: 'held' } })).toBe(0);
});
