/**
 * Two merchants claim one trade: neither is blocked, both orders are flagged, and no merchant is
 * named.
 */
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { flagContested } from '@payonce/orders/notifications/trades/flag-contested';
import { registerOrders } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  notification,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

const HOSTILE = 'hostile';

/** Order A1 of `default` and order H1 of the hostile merchant. */
async function twoMerchants(): Promise<TestDatabase> {
  const deps = await testDatabase();
  await registerOrders(deps, [terms('A1'), { ...terms('H1'), merchant: HOSTILE }]);
  return deps;
}

const genuine = (trade = 'T') => notification(payment('A1', trade));
const hostile = (number = 'H1', trade = 'T') =>
  notification(payment(number, trade), { merchant: HOSTILE, channel: 'hostile-alipay' });

async function flagAll(deps: TestDatabase) {
  while (await flagContested(deps, 50));
}

const orders = async ({ prisma }: TestDatabase) =>
  Object.fromEntries(
    (
      await prisma.order.findMany({
        include: { facts: true, orderEvents: { orderBy: { id: 'asc' } } },
      })
    ).map((order) => [
      order.number,
      {
        status: order.status,
        attention: order.attention,
        flags: order.facts.filter(({ kind }) => kind === 'contested').length,
        told: order.orderEvents.map(({ type, milestone }) => `${type} ${milestone}`),
        payloads: JSON.stringify(order.orderEvents.map(({ payload }) => payload)),
      },
    ]),
  );

const PAID_AND_FLAGGED = {
  status: 'paid',
  attention: ['contested_trade'],
  flags: 1,
  told: ['order.paid paid', 'order.attention contested_trade'],
};

describe('a trade that two merchants claim', () => {
  test.each([
    ['before', [hostile(), genuine()]],
    ['after', [genuine(), hostile()]],
  ])('%s the genuine one, in separate transactions', async (_when, told) => {
    const deps = await twoMerchants();
    for (const one of told) expect(await apply(deps, one)).toEqual([['applied']]);
    await flagAll(deps);
    expect(await orders(deps)).toMatchObject({ A1: PAID_AND_FLAGGED, H1: PAID_AND_FLAGGED });
  });

  test('in one batch', async () => {
    const deps = await twoMerchants();
    expect(await apply(deps, hostile(), genuine())).toEqual([['applied'], ['applied']]);
    await flagAll(deps);
    expect(await orders(deps)).toMatchObject({ A1: PAID_AND_FLAGGED, H1: PAID_AND_FLAGGED });
  });

  test('concurrently, many times: each order is paid and flagged exactly once', async () => {
    const deps = await twoMerchants();
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    await registerOrders(
      deps,
      numbers.flatMap((n) => [terms(`A-${n}`), { ...terms(`H-${n}`), merchant: HOSTILE }]),
    );
    for (const n of numbers) {
      const outcomes = await Promise.all([
        apply(deps, notification(payment(`A-${n}`, `T${n}`))),
        apply(deps, hostile(`H-${n}`, `T${n}`)),
        flagContested(deps, 50).then(() => []),
        flagContested(deps, 50).then(() => []),
      ]);
      expect(outcomes.flat(2)).toEqual(['applied', 'applied']);
    }
    await Promise.all([flagAll(deps), flagAll(deps), flagAll(deps)]);
    const { A1: _, H1: __, ...found } = await orders(deps);
    for (const order of Object.values(found)) expect(order).toMatchObject(PAID_AND_FLAGGED);
  });

  test('the other order is named nowhere', async () => {
    const deps = await twoMerchants();
    await apply(deps, hostile());
    await apply(deps, genuine());
    await flagAll(deps);
    const { A1, H1 } = await orders(deps);
    expect(A1?.payloads).not.toMatch(/hostile|H1/);
    expect(H1?.payloads).not.toMatch(/default|A1/);
  });

  test('two orders of one merchant stay separate: the first has it, the other is held', async () => {
    const deps = await twoMerchants();
    await registerOrders(deps, [{ ...terms('H2'), merchant: HOSTILE }]);
    await apply(deps, genuine());
    expect(await apply(deps, hostile('H1'), hostile('H2'))).toEqual([
      ['applied'],
      ['trade_on_other_order'],
    ]);
    expect(await apply(deps, hostile('H2'))).toEqual([['trade_on_other_order']]);
    expect(await apply(deps, hostile('H1'))).toEqual([['duplicate']]);
  });

  test('claimed a thousand times, it leaves one flag and one order event on the genuine order', async () => {
    const deps = await twoMerchants();
    const numbers = Array.from({ length: 1_000 }, (_, index) => `H-${index}`);
    for (let at = 0; at < numbers.length; at += 500) {
      const part = numbers.slice(at, at + 500);
      await registerOrders(
        deps,
        part.map((number) => ({ ...terms(number), merchant: HOSTILE })),
      );
    }
    await apply(deps, genuine());
    for (let at = 0; at < numbers.length; at += 200) {
      const batch = numbers.slice(at, at + 200).map((number) => hostile(number));
      await applyNotifications(deps, batch);
      await flagAll(deps);
    }
    expect(await orders(deps)).toMatchObject({ A1: PAID_AND_FLAGGED, 'H-0': PAID_AND_FLAGGED });
    expect(await deps.prisma.fact.count({ where: { kind: 'contested' } })).toBe(2);
    expect(await deps.prisma.tradeClaim.count()).toBe(1);
  });

  test('an event that the previous release holds for it is applied by the schedule', async () => {
    const deps = await twoMerchants();
    await apply(deps, hostile());
    const notice = genuine();
    await apply(deps, notice);
    // As workers of the previous release leave it: they never decide it again.
    await deps.prisma.$executeRaw`
      DELETE FROM facts WHERE order_id IN (SELECT id FROM orders WHERE number = 'A1')`;
    await deps.prisma.$executeRaw`
      DELETE FROM order_events WHERE order_id IN (SELECT id FROM orders WHERE number = 'A1')`;
    await deps.prisma.$executeRaw`DELETE FROM trade_claims`;
    await deps.prisma.$executeRaw`
      UPDATE orders SET status = 'pending', paid_amount = 0, paid_at = NULL, primary_rail = NULL,
        primary_trade = NULL, attention = '{}', version = 0 WHERE number = 'A1'`;
    await deps.prisma.$executeRaw`
      UPDATE notification_events SET outcome = 'held', hold_reason = 'trade_on_other_order'
      WHERE order_number = 'A1'`;
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    await flagAll(deps);
    expect(await orders(deps)).toMatchObject({ A1: PAID_AND_FLAGGED, H1: PAID_AND_FLAGGED });
    expect(await retryHeld(deps, 10)).toEqual({ looked: 0, released: 0 });
  });
});
