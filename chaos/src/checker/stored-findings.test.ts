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
import { judge } from './checker.js';
import type { StoredEvent } from './stored.js';

const P = payment('p');
const PAID = order('paid', DUE);
const NONE = {
  rowsPerContent: 0,
  conflicts: 0,
  deadLetters: 0,
  foreignTradeBlocked: 0,
  evidenceDropped: 0,
  heldUp: 0,
  beganLate: 0,
  orderEventsTwice: 0,
  deliveriesStuck: 0,
};

/** A row of the outbox: `order.paid paid`. */
function eventRow(name: string, changes: Partial<StoredEvent> = {}): StoredEvent {
  const [type = '', milestone = ''] = name.split(' ');
  return { merchant: 'demo', number: 'O1', type, milestone, row: null, pending: 0, ...changes };
}

test('one row with its bytes and one event is no finding', () => {
  const rows = stored([PAID], [row(P)], [eventRow('order.paid paid')]);
  expect(judge(historyOf([P]), rows).verdict).toMatchObject(NONE);
});

describe('rows', () => {
  test('counts each row beyond the first of one notification, and a conflict by itself', () => {
    const recut = { ...row(P, 'id_conflict'), row: 'of a recut' };
    const rows = stored([PAID], [row(P), recut]);
    const { verdict, findings } = judge(historyOf([P]), rows);
    expect(verdict).toMatchObject({ ...NONE, lost: 0, rowsPerContent: 1, conflicts: 1 });
    expect(findings).toContain('several rows: p is also row of a recut');
  });

  test('counts a row without its raw bytes', () => {
    const rows = stored([PAID], [{ ...row(P), raw: false }]);
    expect(judge(historyOf([P]), rows).verdict).toMatchObject({ ...NONE, evidenceDropped: 1 });
  });

  test('counts one row about several orders once', () => {
    const rows = stored([PAID], [row(P), { ...row(P), orderNumber: 'O2' }]);
    expect(judge(historyOf([P]), rows).verdict).toMatchObject(NONE);
  });
});

describe('dead letters', () => {
  test.each([
    ['its own', `alipay.sim-alipay.${P.jobToken}.0123abcd`, 1],
    ['of another notification', 'alipay.sim-alipay.other.0123abcd', 0],
    ['of another provider', `wechatpay-v2.sim.${P.jobToken}.0123abcd`, 0],
  ])('counts one that is %s', (_whose, jobId, deadLetters) => {
    const rows = stored([PAID], [row(P)], [], [jobId]);
    expect(judge(historyOf([P]), rows).verdict).toMatchObject({ ...NONE, deadLetters });
  });
});

describe('two merchants and one trade', () => {
  const theirs = { ...ORDER, merchant: 'rival', number: 'R1' };
  const mine = payment('m', { provider: 'wechatpay-v2', jobToken: 'T1' });
  const rival = payment('r', { provider: 'wechatpay-v2', jobToken: 'T1', orderNumber: 'R1' });
  const history = historyOf([mine, rival], { orders: [ORDER, theirs] });
  const rivals = { ...row(rival), merchant: 'rival' };
  const orders = [PAID, { ...PAID, merchant: 'rival', number: 'R1' }];

  test('each has a separate row, and a flag', () => {
    const { verdict, findings } = judge(history, stored(orders, [row(mine), rivals]));
    expect(verdict).toMatchObject({ ...NONE, applied: 2, lost: 0, doubled: 0 });
    // Paid and flagged, each.
    expect(verdict.eventsExpected).toBe(4);
    expect(findings).toContain('untold: O1 order.attention contested_trade');
  });

  test('counts a payment that the trade of another merchant blocks', () => {
    const blocked = row(mine, 'trade_on_other_order');
    const rows = stored([order('pending'), ...orders.slice(1)], [blocked, rivals]);
    const { verdict } = judge(history, rows);
    expect(verdict).toMatchObject({ ...NONE, lost: 1, foreignTradeBlocked: 1 });
  });

  test('the flag is false when no other merchant claimed the trade', () => {
    const flag = event('order.attention contested_trade', 1);
    const arrivals = [arrived(flag, 1)];
    const alone = judge(historyOf([P], { arrivals }), stored([PAID], [row(P)]));
    expect(alone.verdict.eventsFalse).toBe(1);
    const both = judge({ ...history, arrivals }, stored(orders, [row(mine), rivals]));
    expect(both.verdict.eventsFalse).toBe(0);
  });
});

describe('events', () => {
  test('counts an event of an order that is in the outbox twice', () => {
    const flag = eventRow('order.attention second_payment');
    const rows = stored([PAID], [row(P)], [eventRow('order.paid paid'), flag, flag]);
    expect(judge(historyOf([P]), rows).verdict).toMatchObject({ ...NONE, orderEventsTwice: 1 });
  });

  test('counts a held notification that is in the outbox twice, and not two of one order', () => {
    const notices = ['a', 'b'].map((key) =>
      refund(key, [DUE, DUE], { provider: 'wechatpay-v2', jobToken: `R${key}` }, true),
    );
    const rows = notices.map((one) => row(one, 'unconfirmed'));
    const events = rows.map(({ row: of }) =>
      eventRow('notification.held unconfirmed', { row: of }),
    );
    const history = historyOf([P, ...notices]);
    const once = judge(history, stored([PAID], [row(P), ...rows], events));
    expect(once.verdict).toMatchObject(NONE);
    const again = [...events, eventRow('notification.held unconfirmed', { row: 'another' })];
    const copy = { ...row(notices[0] ?? P, 'unconfirmed'), row: 'another' };
    const twice = judge(history, stored([PAID], [row(P), ...rows, copy], again));
    expect(twice.verdict).toMatchObject({ ...NONE, rowsPerContent: 1, orderEventsTwice: 1 });
  });

  test('counts each pending delivery', () => {
    const rows = stored([PAID], [row(P)], [eventRow('order.paid paid', { pending: 1 })]);
    expect(judge(historyOf([P]), rows).verdict).toMatchObject({ ...NONE, deliveriesStuck: 1 });
  });
});

describe('what an observer saw waiting', () => {
  const delays = [
    { kind: 'held_up', at: 1_500, keys: ['p', 'q'] },
    { kind: 'began_late', at: 5_000, keys: ['p'] },
  ] as const;
  const history = historyOf([P], { delays });
  const rows = stored([PAID], [row(P)]);

  test('counts each notification', () => {
    expect(judge(history, rows).verdict).toMatchObject({ ...NONE, heldUp: 2, beganLate: 1 });
  });

  test('belongs to the window in which it was seen', () => {
    const first = judge(history, rows, { from: 0, to: 2_000 }).verdict;
    expect(first).toMatchObject({ ...NONE, heldUp: 2 });
  });
});
