import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import { deriveOrder } from './derive.js';
import { mergeFact } from './merge.js';

const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n));

const paid = (trade: string, amount: bigint, at: Date | null = minute(1)): Fact => ({
  kind: 'paid',
  rail: 'wechat',
  trade,
  amount,
  at,
});
const refund = (
  trade: string,
  refundId: string,
  status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL',
  amount: bigint,
): Fact => ({ kind: 'refund', rail: 'wechat', trade, refundId, status, amount, at: minute(9) });
const refundTotal = (trade: string, amount: bigint): Fact => ({
  kind: 'refund_total',
  rail: 'alipay',
  trade,
  amount,
  at: minute(9),
});
const alipayPaid = (trade: string, amount: bigint, at: Date | null = minute(1)): Fact => ({
  kind: 'paid',
  rail: 'alipay',
  trade,
  amount,
  at,
});
const closed = (
  by: 'alipay' | 'wechat' | 'merchant',
  at: Date | null,
  trade: string | null = null,
): Fact => ({ kind: 'closed', by, trade, at });

describe('status and amounts', () => {
  test('no fact: pending', () => {
    expect(deriveOrder([])).toEqual({
      status: 'pending',
      primary: null,
      paidAmount: 0n,
      refundedAmount: 0n,
      paidAt: null,
      surplus: [],
      attention: [],
    });
  });

  test('a paid trade: paid, with its amount and time', () => {
    expect(deriveOrder([paid('T', 8888n)])).toMatchObject({
      status: 'paid',
      paidAmount: 8888n,
      paidAt: minute(1),
      attention: [],
    });
  });

  test('a single refund of less than the payment: partially refunded', () => {
    const state = deriveOrder([paid('T', 8888n), refund('T', 'R', 'SUCCESS', 88n)]);
    expect(state).toMatchObject({ status: 'partially_refunded', refundedAmount: 88n });
  });

  test('single refunds add up to the whole payment: refunded', () => {
    const state = deriveOrder([
      paid('T', 300n),
      refund('T', 'R1', 'SUCCESS', 100n),
      refund('T', 'R2', 'SUCCESS', 200n),
    ]);
    expect(state).toMatchObject({ status: 'refunded', refundedAmount: 300n, attention: [] });
  });

  test('running totals do not add up: the greatest one counts', () => {
    const state = deriveOrder([
      alipayPaid('T', 300n),
      refundTotal('T', 100n),
      refundTotal('T', 250n),
    ]);
    expect(state).toMatchObject({ status: 'partially_refunded', refundedAmount: 250n });
  });

  test('a refund that was closed or failed at the bank moves nothing', () => {
    const state = deriveOrder([
      paid('T', 300n),
      refund('T', 'R1', 'CLOSED', 100n),
      refund('T', 'R2', 'ABNORMAL', 100n),
    ]);
    expect(state).toMatchObject({ status: 'paid', refundedAmount: 0n });
  });

  test('a finished trade stays paid, and is marked as finished', () => {
    const finished: Fact = { kind: 'finished', rail: 'alipay', trade: 'T', at: minute(99) };
    const state = deriveOrder([alipayPaid('T', 300n), finished]);
    expect(state).toMatchObject({ status: 'paid', primary: { finished: true }, attention: [] });
  });

  test.each([
    ['by the rail, naming its trade', closed('alipay', minute(30), 'T')],
    ['by the rail, naming no trade', closed('wechat', null)],
    ['by the merchant', closed('merchant', minute(30))],
  ])('unpaid and closed %s: closed', (_how, fact) => {
    expect(deriveOrder([fact])).toMatchObject({ status: 'closed', attention: [] });
  });

  test('paid wins over closed, whichever came first', () => {
    for (const at of [minute(0), minute(2), null]) {
      expect(deriveOrder([closed('merchant', at), paid('T', 1n)]).status).toBe('paid');
    }
  });

  test('a refund without a known payment leaves the order pending, and raises a flag', () => {
    const state = deriveOrder([refund('T', 'R', 'SUCCESS', 100n)]);
    expect(state).toMatchObject({ status: 'pending', refundedAmount: 0n });
    expect(state.attention).toEqual(['over_refund']);
  });

  test("an operator's acceptance counts as paid with the amount it names", () => {
    const fact: Fact = {
      kind: 'operator',
      auditId: '7',
      rail: 'alipay',
      trade: 'T',
      amount: 50n,
      at: null,
    };
    expect(deriveOrder([fact])).toMatchObject({ status: 'paid', paidAmount: 50n, paidAt: null });
    expect(deriveOrder([fact, refundTotal('T', 50n)]).status).toBe('refunded');
  });
});

describe('the primary trade', () => {
  test("is the one paid first, by the provider's time", () => {
    const state = deriveOrder([paid('A', 100n, minute(5)), alipayPaid('Z', 100n, minute(2))]);
    expect(state.primary).toMatchObject({ rail: 'alipay', trade: 'Z' });
    expect(state.surplus).toMatchObject([{ rail: 'wechat', trade: 'A' }]);
  });

  test('is the smaller trade number when both were paid in the same second', () => {
    expect(deriveOrder([paid('B', 1n), alipayPaid('A', 1n)]).primary?.trade).toBe('A');
  });

  test('is not one with an unknown time while another is known', () => {
    expect(deriveOrder([paid('A', 1n, null), paid('B', 1n, minute(9))]).primary?.trade).toBe('B');
  });

  test('takes the time from the fact that has it', () => {
    const state = deriveOrder([paid('A', 1n, null), paid('B', 1n, minute(9)), paid('A', 1n)]);
    expect(state.primary).toMatchObject({ trade: 'A', paidAt: minute(1) });
  });

  test('alone moves the status: refunding the surplus trade leaves the order paid', () => {
    const state = deriveOrder([
      paid('A', 100n, minute(1)),
      paid('B', 100n, minute(2)),
      refund('B', 'R', 'SUCCESS', 100n),
    ]);
    expect(state).toMatchObject({ status: 'paid', refundedAmount: 0n });
    expect(state.surplus).toMatchObject([{ trade: 'B', paidAmount: 100n, refundedAmount: 100n }]);
  });
});

describe('attention', () => {
  test('second_payment: two trades paid', () => {
    expect(deriveOrder([paid('A', 1n), paid('B', 1n)]).attention).toEqual(['second_payment']);
  });

  test('over_refund: more refunded than paid, on any trade', () => {
    const state = deriveOrder([paid('A', 100n), refund('A', 'R', 'SUCCESS', 101n)]);
    expect(state).toMatchObject({ status: 'refunded', attention: ['over_refund'] });
  });

  test('refund_abnormal: until the same refund succeeds or is closed', () => {
    const failed = [paid('A', 100n), refund('A', 'R', 'ABNORMAL', 10n)];
    expect(deriveOrder(failed).attention).toEqual(['refund_abnormal']);
    const other = refund('A', 'R2', 'SUCCESS', 10n);
    expect(deriveOrder([...failed, other]).attention).toEqual(['refund_abnormal']);
    for (const status of ['SUCCESS', 'CLOSED'] as const) {
      expect(deriveOrder([...failed, refund('A', 'R', status, 10n)]).attention).toEqual([]);
    }
  });

  test('paid_late: paid after the earliest close', () => {
    const state = deriveOrder([
      closed('merchant', minute(5)),
      closed('wechat', minute(30)),
      paid('A', 1n, minute(10)),
    ]);
    expect(state).toMatchObject({ status: 'paid', attention: ['paid_late'] });
  });

  test.each([
    ['closed after it was paid', minute(5), minute(1)],
    ['closed in the very second of the payment', minute(1), minute(1)],
    ['when it was closed is not known', null, minute(1)],
    ['when it was paid is not known', minute(5), null],
  ])('closed_though_paid: %s', (_how, closedAt, paidAt) => {
    const state = deriveOrder([closed('wechat', closedAt, 'A'), paid('A', 1n, paidAt)]);
    expect(state).toMatchObject({ status: 'paid', attention: ['closed_though_paid'] });
  });

  test("another trade's time-out after the payment raises no flag", () => {
    const state = deriveOrder([
      paid('A', 1n),
      closed('alipay', minute(30), 'unused'),
      closed('wechat', minute(30), 'unused too'),
    ]);
    expect(state.attention).toEqual([]);
  });
});

test('a fact without news is recognised as the known one', () => {
  const known = paid('A', 100n, minute(1));
  expect(mergeFact(known, paid('A', 100n, null))).toBe(known);
  expect(mergeFact(known, paid('A', 90n, minute(2)))).toBe(known);
  expect(mergeFact(known, paid('A', 110n, minute(0)))).toEqual(paid('A', 110n, minute(0)));
});
