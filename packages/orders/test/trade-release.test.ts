/** An operator releases a wrongly claimed trade, and reinstates it. */
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import type { TradeCommand } from '@payonce/orders/notifications/trades/trade-outcome';
import {
  changeTrade,
  previewTrade,
  type TradeAction,
} from '@payonce/orders/notifications/trades/trade-release';
import { deriveOrder } from '@payonce/orders/orders/derive';
import { readFacts } from '@payonce/orders/orders/fact-rows';
import { closeOrder, registerOrders } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  orderRow,
  paid,
  payment,
  refundTotal,
  statement,
  type TestDatabase,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';
import { auditRows, operator } from './held.js';
import { holdLock } from './interleaving.js';

const ofA1 = (trade = 'T'): TradeCommand => ({
  ...operator,
  merchant: 'default',
  number: 'A1',
  rail: 'alipay',
  trade,
});

/** A1 is paid by T. */
async function paidOrder(): Promise<TestDatabase> {
  const deps = await testDatabase();
  await registerOrders(deps, [terms('A1'), terms('A2'), terms('A3')]);
  await apply(deps, notification(payment('A1', 'T')));
  return deps;
}

const refund = (number: string, trade: string, amount: bigint) =>
  notification(statement(number, trade, [paid(trade), refundTotal(trade, amount)]));

async function act(deps: TestDatabase, action: TradeAction, command = ofA1()) {
  const outcome = await changeTrade(deps, action, command);
  return outcome.result === 'done' ? { ...outcome.effect, again: outcome.again } : outcome;
}

/** The rows of A1 match its facts. */
async function expectDerived(deps: TestDatabase, number = 'A1') {
  const row = await orderRow(deps, number);
  const facts = (await readFacts(deps.prisma, [row.id])).get(row.id) ?? [];
  const { status, paidAmount, refundedAmount, attention } = deriveOrder(facts);
  expect(row).toMatchObject({ status, paidAmount, refundedAmount, attention });
}

describe('releasing a trade', () => {
  test('an event that a lock keeps from the released trade is due at once', async () => {
    const deps = await paidOrder();
    await apply(deps, notification(payment('A2', 'T')));
    const letGo = await holdLock(deps, 'SELECT FROM notifications FOR UPDATE');
    expect(await act(deps, 'release')).toMatchObject({ after: { status: 'pending' } });
    await letGo();
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'pending' });
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'paid' });
  });

  test('makes the order unpaid, sends an event, and leaves an audit row and a fact', async () => {
    const deps = await paidOrder();
    expect(await act(deps, 'release')).toMatchObject({
      again: false,
      before: { status: 'paid', paidAmount: 8888n, version: 1 },
      after: { status: 'pending', paidAmount: 0n, version: 2 },
      owner: null,
      orderEvents: [{ number: 'A1', type: 'order.payment_withdrawn', milestone: 'withdrawn' }],
      heldEvents: [],
    });
    const { facts, orderEvents } = await orderRow(deps, 'A1');
    const [audit] = await auditRows(deps);
    expect(audit).toMatchObject({
      action: 'trade.release',
      actor: 'lin',
      detail: { reason: 'seen on the statement', rail: 'alipay', trade: 'T', before: 'paid' },
    });
    expect(facts.map(({ key, auditId }) => [key, auditId])).toEqual([
      ['paid:alipay:T', null],
      [`released:alipay:T:${audit?.id}`, audit?.id],
    ]);
    expect(orderEvents.at(-1)?.payload).toMatchObject({
      status: 'pending',
      paidAmount: '0',
      trade: null,
      withdrawn: { rail: 'alipay', trade: 'T' },
    });
    expect(await act(deps, 'release')).toMatchObject({ again: true, orderEvents: [] });
    expect(await auditRows(deps)).toHaveLength(1);
  });

  test('is not undone by later notifications of the trade', async () => {
    const deps = await paidOrder();
    await act(deps, 'release');
    const later = [
      notification(payment('A1', 'T')),
      notification(
        statement('A1', 'T', [
          paid('T'),
          { kind: 'finished', rail: 'alipay', trade: 'T', at: minute(9) },
        ]),
      ),
      refund('A1', 'T', 100n),
    ];
    for (const one of later) {
      const [[outcome] = []] = await apply(deps, one);
      expect(['applied', 'duplicate']).toContain(outcome);
    }
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', paidAmount: 0n });
    expect(await toldEvents(deps, 'A1')).toEqual([
      'order.paid paid@1',
      'order.payment_withdrawn withdrawn@2',
    ]);
    // They do not take the free claim either.
    expect(await apply(deps, notification(payment('A2', 'T')))).toEqual([['applied']]);
    expect(await apply(deps, refund('A1', 'T', 200n))).toEqual([['applied']]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', refundedAmount: 0n });
  });

  test('gives the trade to the order whose event was held for it, in the same step', async () => {
    const deps = await paidOrder();
    expect(await apply(deps, notification(payment('A2', 'T')))).toEqual([['trade_on_other_order']]);
    const foreseen = await previewTrade(deps, 'release', ofA1());
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid' });
    expect(await auditRows(deps)).toEqual([]);
    const done = await changeTrade(deps, 'release', ofA1());
    expect(done).toEqual(foreseen);
    expect(done).toMatchObject({
      effect: {
        owner: 'A2',
        orderEvents: [
          { number: 'A1', type: 'order.payment_withdrawn' },
          { number: 'A2', type: 'order.paid', milestone: 'paid' },
        ],
        heldEvents: [{ number: 'A2', outcome: { outcome: 'applied' } }],
      },
    });
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'paid' });
    // One order per merchant has it.
    expect(await apply(deps, notification(payment('A3', 'T')))).toEqual([['trade_on_other_order']]);
    expect(await act(deps, 'reinstate')).toEqual({ result: 'trade_taken', owner: 'A2' });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending' });
  });

  test('lets another payment pay the order, which is reported as paid again', async () => {
    const deps = await paidOrder();
    await apply(deps, refund('A1', 'T', 100n));
    await act(deps, 'release');
    await apply(deps, notification(payment('A1', 'T2')));
    await apply(deps, refund('A1', 'T2', 100n));
    expect(await toldEvents(deps, 'A1')).toEqual([
      'order.paid paid@1',
      'order.partially_refunded 100@2',
      'order.payment_withdrawn withdrawn@3',
      'order.paid paid:2@4',
      'order.partially_refunded 100:2@5',
    ]);
    await expectDerived(deps);
  });

  test('of one of two payments leaves the other, and reports that', async () => {
    const deps = await paidOrder();
    await apply(deps, notification(statement('A1', 'T2', [paid('T2', minute(3))])));
    expect(await orderRow(deps, 'A1')).toMatchObject({ attention: ['second_payment'] });
    expect(await act(deps, 'release')).toMatchObject({
      before: { status: 'paid' },
      after: { status: 'paid', attention: [] },
      orderEvents: [
        { type: 'order.payment_withdrawn', milestone: 'withdrawn' },
        { type: 'order.paid', milestone: 'paid:2' },
      ],
    });
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', primaryTrade: 'T2' });
    expect(await act(deps, 'release', ofA1('T2'))).toMatchObject({
      after: { status: 'pending' },
      orderEvents: [{ type: 'order.payment_withdrawn', milestone: 'withdrawn:2' }],
    });
  });

  test('of a closed order shows it closed again, and reports that', async () => {
    const deps = await testDatabase();
    await registerOrders(deps, [terms('A1')]);
    await closeOrder(deps, { merchant: 'default', number: 'A1' });
    await apply(deps, notification(payment('A1', 'T')));
    expect(await act(deps, 'release')).toMatchObject({
      after: { status: 'closed' },
      orderEvents: [{ milestone: 'withdrawn' }, { type: 'order.closed', milestone: 'closed:2' }],
    });
  });

  test('is refused for an unknown trade, and for an order that changed since', async () => {
    const deps = await paidOrder();
    expect(await act(deps, 'release', { ...ofA1(), number: 'none' })).toEqual({
      result: 'unknown_order',
    });
    expect(await act(deps, 'release', ofA1('other'))).toEqual({ result: 'unknown_trade' });
    expect(await act(deps, 'release', { ...ofA1(), rail: 'wechat' })).toEqual({
      result: 'unknown_trade',
    });
    expect(await act(deps, 'release', { ...ofA1(), version: 0 })).toEqual({
      result: 'order_changed',
      version: 1,
    });
    expect(await act(deps, 'reinstate')).toEqual({ result: 'not_released' });
    expect(await auditRows(deps)).toEqual([]);
  });
});

describe('reinstating a trade', () => {
  test('makes the order what it was, reports it again, and gives it the trade', async () => {
    const deps = await paidOrder();
    await apply(deps, refund('A1', 'T', 100n));
    await act(deps, 'release');
    const foreseen = await previewTrade(deps, 'reinstate', ofA1());
    const done = await changeTrade(deps, 'reinstate', ofA1());
    expect(done).toEqual(foreseen);
    expect(done).toMatchObject({
      effect: { after: { status: 'partially_refunded', refundedAmount: 100n }, owner: 'A1' },
    });
    expect(await toldEvents(deps, 'A1')).toEqual([
      'order.paid paid@1',
      'order.partially_refunded 100@2',
      'order.payment_withdrawn withdrawn@3',
      'order.paid paid:2@4',
      'order.partially_refunded 100:2@4',
    ]);
    expect(await act(deps, 'reinstate')).toMatchObject({ again: true });
    expect(await apply(deps, notification(payment('A2', 'T')))).toEqual([['trade_on_other_order']]);
    // And again.
    expect(await act(deps, 'release')).toMatchObject({
      owner: 'A2',
      orderEvents: [
        { milestone: 'withdrawn:2' },
        { number: 'A2', type: 'order.paid', milestone: 'paid' },
      ],
    });
    await expectDerived(deps);
  });
});

test('concurrent releases, revocations and notifications: no deadlock, one owner, each order by its facts', async () => {
  const deps = await paidOrder();
  const lines: unknown[] = [];
  const log = {
    warn: (...line: unknown[]) => lines.push(line),
    error: (...line: unknown[]) => lines.push(line),
  };
  const loud = { ...deps, log } as unknown as TestDatabase;
  for (let round = 0; round < 15; round += 1) {
    await Promise.all([
      changeTrade(loud, 'release', ofA1()),
      changeTrade(loud, 'release', { ...ofA1(), number: 'A2' }),
      changeTrade(loud, 'reinstate', ofA1()),
      changeTrade(loud, 'reinstate', { ...ofA1(), number: 'A2' }),
      apply(loud, notification(payment('A2', 'T')), refund('A1', 'T', BigInt(round + 1))),
      apply(loud, notification(payment('A3', 'T')), notification(payment('A1', 'T'))),
    ]);
  }
  expect(lines).toEqual([]);
  const counts = await deps.prisma.order.findMany({ where: { status: { not: 'pending' } } });
  expect(counts.length).toBeLessThanOrEqual(1);
  for (const number of ['A1', 'A2', 'A3']) await expectDerived(deps, number);
});
