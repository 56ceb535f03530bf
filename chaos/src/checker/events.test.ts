import { describe, expect, test } from 'vitest';
import {
  arrived,
  DUE,
  event,
  historyOf,
  ORDER,
  order,
  payment,
  refund,
  row,
  stored,
} from '../../test/samples.js';
import type { Arrival, WorkloadNotification } from '../history/history.js';
import { judge } from './checker.js';

const P = payment('p');
const R = refund('r', [3_000n, 3_000n]);
const PAID = event('order.paid paid', 1);
const PART = event('order.partially_refunded 3000', 2, 3_000n);
const NONE = { eventsLost: 0, eventsUnsigned: 0, eventsOutOfOrder: 0, eventsFalse: 0 };
const IN_TIME = [arrived(PAID, 1), arrived(PART, 2)];

const paid = stored([order('paid', DUE)], [row(P)]);
const refunded = stored([order('partially_refunded', DUE, 3_000n)], [row(P), row(R)]);

/** A payment and its refund, with the events that reached the merchant. */
function judged(
  arrivals: readonly Arrival[],
  notifications: readonly WorkloadNotification[] = [P, R],
) {
  return judge(historyOf(notifications, { arrivals }), notifications.includes(R) ? refunded : paid);
}

describe('no finding', () => {
  test('when each milestone was taken once, in sequence', () => {
    const { verdict, findings } = judged(IN_TIME);
    expect(findings).toEqual([]);
    expect(verdict).toMatchObject({ eventsExpected: 2, eventsDelivered: 2, ...NONE });
  });

  test('when copies of what was taken come later, and when it was refused at first', () => {
    const arrivals = [
      arrived(PAID, 1, { answer: 500 }),
      arrived(PAID, 2, { answer: null }),
      arrived(PAID, 3),
      arrived(PART, 4),
      arrived(PAID, 5),
    ];
    expect(judged(arrivals).findings).toEqual([]);
  });

  test('when two milestones were crossed at once', () => {
    const atOnce = { ...PART, version: 1 };
    expect(judged([arrived(PAID, 1), arrived(atOnce, 2)]).findings).toEqual([]);
  });

  test('when an order without notifications has no event', () => {
    const { verdict, findings } = judge(historyOf([]), stored([order('pending')], []));
    expect(findings).toEqual([]);
    expect(verdict).toMatchObject({ eventsExpected: 0, ...NONE });
  });

  test('when a close is reported, or overtaken by a payment', () => {
    const C = payment('c', { trade: 'T2', meaning: { kind: 'closed' } });
    const closed = [arrived({ ...event('order.closed closed', 1), paid: 0n }, 1)];
    const close = judge(historyOf([C], { arrivals: closed }), stored([order('closed')], [row(C)]));
    expect(close.findings).toEqual([]);
    expect(close.verdict.eventsExpected).toBe(1);
    const rows = stored([order('paid', DUE)], [row(P), row(C)]);
    for (const arrivals of [[], closed].map((before) => [...before, arrived(PAID, 2)])) {
      expect(judge(historyOf([C, P], { arrivals }), rows).findings).toEqual([]);
    }
  });

  test('when a second payment calls for attention', () => {
    const second = payment('q', { trade: 'T2' });
    const arrivals = [arrived(PAID, 1), arrived(event('order.attention second_payment', 2), 2)];
    const rows = stored([order('paid', DUE)], [row(P), row(second)]);
    const { verdict, findings } = judge(historyOf([P, second], { arrivals }), rows);
    expect(findings).toEqual([]);
    expect(verdict.eventsExpected).toBe(2);
  });

  test('when each held notification has an event', () => {
    const notices = ['a', 'b'].map((key) =>
      refund(key, [1n, 1n], { provider: 'wechatpay-v2' }, true),
    );
    const name = {
      merchant: 'demo',
      number: 'O1',
      type: 'notification.held',
      milestone: 'unconfirmed',
      row: 'row of a notice',
      pending: 0,
    };
    const wait = { ...event('notification.held unconfirmed', 0), paid: null };
    const arrivals = notices.map((_, index) => arrived(wait, index, { webhookId: `evt ${index}` }));
    const rows = stored(
      [order('pending')],
      notices.map((one) => row(one, 'unconfirmed')),
      [name, name],
    );
    expect(judge(historyOf(notices, { arrivals }), rows).findings).toEqual([]);
    const [, ...fewer] = arrivals;
    const { verdict } = judge(historyOf(notices, { arrivals: fewer }), rows);
    expect(verdict).toMatchObject({ eventsExpected: 2, eventsLost: 1 });
  });
});

describe('lost', () => {
  test.each([
    ['was never sent', []],
    ['was never taken', [arrived(PAID, 1, { answer: 500 }), arrived(PAID, 2, { answer: null })]],
    [
      'was sent without a signature',
      [arrived(PAID, 1, { signed: false, event: null, answer: 204 })],
    ],
    ['was sent for another order', [arrived({ ...PAID, orderNumber: 'O2' }, 1)]],
  ])('counts an order.paid that %s', (_how, arrivals) => {
    const { verdict, findings } = judged(arrivals, [P]);
    expect(verdict).toMatchObject({ eventsExpected: 1, eventsDelivered: 0, eventsLost: 1 });
    expect(findings).toContain('untold: O1 order.paid paid');
  });

  test('counts a refunded total that is missing in between', () => {
    const notifications = [P, refund('a', [1_000n, 1_000n]), refund('b', [2_000n, 3_000n])].map(
      (one) => ({
        ...one,
        provider: 'wechatpay' as const,
      }),
    );
    const { verdict } = judge(
      historyOf(notifications, { arrivals: IN_TIME }),
      stored(
        [order('partially_refunded', DUE, 3_000n)],
        notifications.map((one) => row(one)),
      ),
    );
    expect(verdict).toMatchObject({ eventsExpected: 3, eventsLost: 1, eventsFalse: 0 });
  });

  test('counts an outbox row that was not delivered, whatever the providers sent', () => {
    const name = {
      merchant: 'demo',
      number: 'O1',
      type: 'order.attention',
      milestone: 'paid_late',
      row: null,
      pending: 0,
    };
    const rows = stored([order('paid', DUE)], [row(P)], [name]);
    const { verdict } = judge(historyOf([P], { arrivals: [arrived(PAID, 1)] }), rows);
    expect(verdict).toMatchObject({ eventsExpected: 2, eventsDelivered: 1, eventsLost: 1 });
  });
});

test('unsigned counts each request without a signature, whatever its answer', () => {
  const unsigned = { signed: false, event: null };
  const arrivals = [arrived(PAID, 1, unsigned), arrived(PAID, 2, { ...unsigned, answer: 401 })];
  expect(judged([...arrivals, arrived(PAID, 3)], [P]).verdict).toMatchObject({
    ...NONE,
    eventsUnsigned: 2,
  });
});

describe('out of order', () => {
  test.each([
    ['a smaller version after a larger one', [arrived(PART, 1), arrived(PAID, 2)]],
    [
      'a refund before its payment in one version',
      [arrived({ ...PART, version: 1 }, 1), arrived(PAID, 2)],
    ],
    [
      'what was refused and came again after the next one',
      [arrived(PAID, 1, { answer: 503 }), arrived(PART, 2), arrived(PAID, 3)],
    ],
  ])('counts %s', (_what, arrivals) => {
    expect(judged(arrivals).verdict).toMatchObject({ ...NONE, eventsOutOfOrder: 1 });
  });
});

describe('false', () => {
  test.each([
    ['a payment that nobody made', [arrived(PAID, 1)], [] as const],
    ['a refund that nobody made', IN_TIME, [P] as const],
    [
      'a close that nobody reported',
      [...IN_TIME, arrived(event('order.closed closed', 3), 3)],
      [P, R],
    ],
    ['a payment of another amount', [arrived({ ...PAID, paid: 1n }, 1), IN_TIME[1]], [P, R]],
    [
      'a payment reported under two IDs',
      [...IN_TIME, arrived(PAID, 3, { webhookId: 'other' })],
      [P, R],
    ],
    ['one ID with two contents', [...IN_TIME, arrived({ ...PAID, body: 'other' }, 3)], [P, R]],
    ['what is signed and no order event', [...IN_TIME, arrived(PAID, 3, { event: null })], [P, R]],
    ['an order that nobody has', [...IN_TIME, arrived({ ...PAID, orderNumber: 'O9' }, 3)], [P, R]],
  ])('counts %s', (_what, arrivals, notifications) => {
    const some = arrivals.flatMap((one) => one ?? []);
    expect(judged(some, notifications).verdict).toMatchObject({ eventsLost: 0, eventsFalse: 1 });
  });

  test('counts a complete refund that is reported as a part', () => {
    const whole = refund('w', [DUE, DUE]);
    const wrong = event(`order.partially_refunded ${DUE}`, 2, DUE);
    const { verdict } = judge(
      historyOf([P, whole], { arrivals: [arrived(PAID, 1), arrived(wrong, 2)] }),
      stored([order('refunded', DUE, DUE)], [row(P), row(whole)]),
    );
    expect(verdict).toMatchObject({ eventsLost: 1, eventsFalse: 1 });
  });
});

test('a window counts the events of its orders, and the unsigned requests that arrived in it', () => {
  const late = payment('q', { orderNumber: 'O2', trade: 'T2' });
  const sendings = [P, late].map(({ key }, index) => ({
    key,
    startedAt: index * 5_000,
    endedAt: index * 5_000 + 10,
    status: 200,
    acknowledged: true,
  }));
  const unsigned = arrived(PAID, 5_500, { signed: false, event: null });
  const history = historyOf([P, late], {
    orders: [ORDER, { ...ORDER, number: 'O2' }],
    sendings,
    arrivals: [arrived(PAID, 6_000), unsigned],
  });
  const rows = stored(
    [order('paid', DUE), { ...order('paid', DUE), number: 'O2' }],
    [row(P), row(late)],
  );
  const first = judge(history, rows, { from: 0, to: 5_000 }).verdict;
  expect(first).toMatchObject({ eventsExpected: 1, eventsLost: 0, eventsUnsigned: 0 });
  const second = judge(history, rows, { from: 5_000, to: 6_000 }).verdict;
  expect(second).toMatchObject({ eventsExpected: 1, eventsLost: 1, eventsUnsigned: 1 });
});
