import { describe, expect, test } from 'vitest';
import {
  contestedTrades,
  expectedOrders,
  expectedOutcome,
  type NotificationContent,
  type OrderTerms,
} from './oracle.js';
import { expectedEvents, isJustified } from './order-events.js';

const ORDER: OrderTerms = { merchant: 'demo', number: 'O1', amount: 8_888n, registered: true };
type Meaning<Kind> = Extract<NotificationContent['meaning'], { kind: Kind }>;

const of = (
  provider: NotificationContent['provider'],
  trade: string,
  meaning: NotificationContent['meaning'],
): NotificationContent => ({ provider, orderNumber: 'O1', trade, meaning });
const payment = (
  changes: Partial<Meaning<'payment'>> = {},
  [provider, trade]: readonly [NotificationContent['provider'], string] = ['alipay', 'T1'],
) => of(provider, trade, { kind: 'payment', amount: 8_888n, ...changes });
const refund = (
  [refundId, amount, refundedTotal]: readonly [string, bigint, bigint],
  provider: NotificationContent['provider'] = 'alipay',
  changes: Partial<Meaning<'refund'>> = {},
) =>
  of(provider, 'T1', {
    kind: 'refund',
    refundId,
    amount,
    refundedTotal,
    unsigned: provider === 'wechatpay-v2',
    ...changes,
  });
const closed = of('alipay', 'T1', { kind: 'closed' });
const V3 = ['wechatpay', 'T1'] as const;

type Case = [
  string,
  NotificationContent[],
  string,
  bigint,
  bigint,
  string[]?,
  Partial<OrderTerms>?,
];
const cases: Case[] = [
  ['nothing', [], 'pending', 0n, 0n],
  ['a payment', [payment()], 'paid', 8_888n, 0n],
  ['a payment and its copy', [payment(), payment()], 'paid', 8_888n, 0n],
  ['a payment of another amount', [payment({ amount: 1n })], 'pending', 0n, 0n],
  ['a time-out', [closed], 'closed', 0n, 0n],
  ['a time-out, and a payment', [closed, payment()], 'paid', 8_888n, 0n],
  ['a refund alone', [refund(['R', 3_000n, 3_000n])], 'partially_refunded', 8_888n, 3_000n],
  ['a full refund', [payment(), refund(['R', 8_888n, 8_888n])], 'refunded', 8_888n, 8_888n],
  [
    "Alipay's totals, the last one first",
    [refund(['B', 1_000n, 4_000n]), refund(['A', 3_000n, 3_000n])],
    'partially_refunded',
    8_888n,
    4_000n,
  ],
  [
    "WeChat's single refunds, one of them twice",
    (['A', 'B', 'A'] as const).map((id) => refund([id, 3_000n, 0n], 'wechatpay')),
    'partially_refunded',
    8_888n,
    6_000n,
  ],
  [
    "API v2's refund, which is not signed",
    [payment({}, ['wechatpay-v2', 'T1']), refund(['R', 8_888n, 8_888n], 'wechatpay-v2')],
    'paid',
    8_888n,
    0n,
  ],
  [
    'one payment by both WeChat protocols',
    [payment({}, V3), payment({}, ['wechatpay-v2', 'T1'])],
    'paid',
    8_888n,
    0n,
  ],
  [
    'a refund that fails',
    [payment({}, V3), refund(['R', 1n, 1n], 'wechatpay', { failed: true })],
    'paid',
    8_888n,
    0n,
    ['refund_abnormal'],
  ],
  [
    'more refunded than paid',
    (['A', 'B'] as const).map((id) => refund([id, 5_000n, 0n], 'wechatpay')),
    'refunded',
    8_888n,
    10_000n,
    ['over_refund'],
  ],
  ['a close by the merchant', [], 'closed', 0n, 0n, [], { closedByMerchant: true }],
  [
    'a close by the merchant, and a payment',
    [payment()],
    'paid',
    8_888n,
    0n,
    ['closed_though_paid'],
    { closedByMerchant: true },
  ],
];

describe('the expected order', () => {
  test.each(cases)(
    'after %s',
    (_what, told, status, paid, refunded, attention = [], terms = {}) => {
      const expected = { status, paid, refunded, attention };
      expect(expectedOrders({ ...ORDER, ...terms }, told)).toEqual([expected]);
      expect(expectedOrders({ ...ORDER, ...terms }, told.toReversed())).toEqual([expected]);
    },
  );

  test('after two payments is that of the first one, and may be either while times are unknown', () => {
    const partly = refund(['R', 3_000n, 3_000n]);
    const both = (paidAt: number, other: number) => [
      payment({ paidAt }),
      partly,
      payment({ paidAt: other }, ['wechatpay', 'T1']),
    ];
    const refunded = (told: NotificationContent[]) =>
      expectedOrders(ORDER, told).map((one) => [one.refunded, one.attention]);
    const [some, none] = [
      [3_000n, ['second_payment']],
      [0n, ['second_payment']],
    ];
    expect(refunded(both(1, 2))).toEqual([some, none]);
    expect(refunded(both(2, 1))).toEqual([none, some]);
  });
});

test('an outcome is a hold for the first reason that applies', () => {
  const unregistered = { ...ORDER, registered: false };
  const unsigned = refund(['R', 1n, 1n], 'wechatpay-v2');
  expect([
    expectedOutcome(payment(), ORDER),
    expectedOutcome(payment({ amount: 1n }), ORDER),
    expectedOutcome(payment({ amount: 1n }), unregistered),
    expectedOutcome(payment(), undefined),
    expectedOutcome(unsigned, unregistered),
    expectedOutcome(closed, ORDER),
  ]).toEqual([
    'applied',
    'amount_mismatch',
    'unknown_order',
    'unknown_order',
    'unconfirmed',
    'applied',
  ]);
});

describe('the expected events', () => {
  const none = new Set<string>();
  const names = (told: NotificationContent[], contested: ReadonlySet<string> = none) => {
    const { events, refundTotals } = expectedEvents(ORDER, told, contested);
    return [events.map(({ type, milestone }) => `${type} ${milestone}`).join(', '), refundTotals];
  };

  test.each<[string, NotificationContent[], string, number]>([
    ['nothing', [], '', 0],
    ['a time-out', [closed], 'order.closed closed', 0],
    ['a time-out, and a payment', [closed, payment()], 'order.paid paid', 0],
    ['a payment that is held', [payment({ amount: 1n })], '', 0],
    [
      'a refund alone',
      [refund(['R', 3_000n, 3_000n])],
      'order.paid paid, order.partially_refunded 3000',
      1,
    ],
    [
      'two single refunds of all',
      (['A', 'B'] as const).map((id) => refund([id, 4_444n, 0n], 'wechatpay')),
      'order.paid paid, order.refunded 8888',
      2,
    ],
    [
      'two payments',
      [payment(), payment({}, V3)],
      'order.paid paid, order.attention second_payment',
      0,
    ],
  ])('after %s', (_what, told, events, totals) => {
    expect(names(told)).toEqual([events, totals]);
  });

  test('name a trade that paid the order of another merchant', () => {
    const other = { ...ORDER, merchant: 'rival', number: 'O2' };
    const paid = { ...payment(), orderNumber: 'O2' };
    const told = new Map([
      ['O1', [payment()]],
      ['O2', [paid]],
    ]);
    const contested = contestedTrades([ORDER, other], told);
    expect(names([payment()], contested)[0]).toBe(
      'order.paid paid, order.attention contested_trade',
    );
    expect(contestedTrades([ORDER, { ...other, merchant: 'demo' }], told)).toEqual(none);
  });

  test.each<[string, string, bigint | null, boolean]>([
    ['order.paid', 'paid', null, true],
    ['order.paid', 'paid twice', null, false],
    ['order.partially_refunded', '3000', 3_000n, true],
    ['order.partially_refunded', '3001', 3_001n, false],
    ['order.refunded', '3000', 3_000n, false],
    ['order.closed', 'closed', null, false],
    ['order.attention', 'second_payment', null, false],
    ['notification.held', 'unknown_order', null, true],
    ['notification.held', 'amount_mismatch', null, false],
    ['order.unknown', 'paid', null, false],
  ])('%s %s after a payment and a partial refund', (type, milestone, refunded, isTrue) => {
    const told = [payment(), refund(['R', 3_000n, 3_000n])];
    const event = { type, milestone, paid: 8_888n, refunded };
    expect(isJustified(event, ORDER, told, none)).toBe(isTrue);
  });
});
