import { describe, expect, test } from 'vitest';
import {
  added,
  DUE,
  historyOf,
  ORDER,
  order,
  payment,
  refund,
  row,
  sent,
  stored,
} from '../../test/samples.js';
import { judge } from './checker.js';

const NONE = { lost: 0, doubled: 0, falselyAcknowledged: 0, forgedAccepted: 0 };
const P = payment('p');

describe('no finding', () => {
  test('with a payment that is applied once', () => {
    const { verdict, findings } = judge(historyOf([P]), stored([order('paid', DUE)], [row(P)]));
    expect(verdict).toMatchObject({ sent: 1, acknowledged: 1, applied: 1, ...NONE });
    expect(findings.filter((one) => !one.startsWith('untold'))).toEqual([]);
  });

  test('whether or not a notification without acknowledgement is present', () => {
    const history = historyOf([P], { sendings: [sent('p', 1_000, false)] });
    const there = judge(history, stored([order('paid', DUE)], [row(P)]));
    const absent = judge(history, stored([order('pending')], []));
    expect(there.verdict).toMatchObject({ sent: 1, acknowledged: 0, applied: 0, ...NONE });
    expect(absent.verdict).toMatchObject({ sent: 1, acknowledged: 0, applied: 0, ...NONE });
  });

  test('when notifications of an unregistered order wait for it', () => {
    const history = historyOf([P], { orders: [{ ...ORDER, registered: false }] });
    const { verdict } = judge(history, stored([], [row(P, 'unknown_order')]));
    expect(verdict).toMatchObject({ applied: 1, ...NONE });
  });

  test('when an unsigned refund waits, and moves nothing', () => {
    const pay = { ...P, provider: 'wechatpay-v2' as const };
    const r = refund('r', [DUE, DUE], { provider: 'wechatpay-v2' }, true);
    const rows = stored([order('paid', DUE)], [row(pay), row(r, 'unconfirmed')]);
    expect(judge(historyOf([pay, r]), rows).verdict).toMatchObject({ applied: 2, ...NONE });
  });

  test("whichever of two payments the order counts, with that trade's refunds", () => {
    const second = payment('q', { trade: 'T2' });
    const r = refund('r', [3_000n, 3_000n], { trade: 'T2' });
    const rows = [P, second, r].map((one) => row(one));
    for (const state of [order('paid', DUE), order('partially_refunded', DUE, 3_000n)]) {
      expect(judge(historyOf([P, second, r]), stored([state], rows)).verdict).toMatchObject(NONE);
    }
  });

  test('when a forged copy of a genuine notification was refused', () => {
    const forged = payment('f', { jobToken: P.jobToken, forged: true });
    const history = historyOf([P, forged], { sendings: [sent('p'), sent('f', 1_000, false)] });
    const { verdict } = judge(history, stored([order('paid', DUE)], [row(P)]));
    expect(verdict).toMatchObject({ sent: 2, acknowledged: 1, applied: 1, ...NONE });
  });
});

describe('lost', () => {
  test.each([
    ['nowhere', stored([order('pending')], [])],
    ['held', stored([order('pending')], [row(P, 'internal_error')])],
    ['stored as applied, in an order that does not show it', stored([order('pending')], [row(P)])],
    ['in an order that is not there', stored([], [row(P)])],
    ['stored for another order', stored([order('pending')], [{ ...row(P), orderNumber: 'O2' }])],
    [
      'stored by another provider',
      stored([order('pending')], [{ ...row(P), provider: 'wechatpay' }]),
    ],
  ])('counts an acknowledged payment that is %s', (_where, rows) => {
    expect(judge(historyOf([P]), rows).verdict).toMatchObject({
      acknowledged: 1,
      applied: 0,
      lost: 1,
    });
  });

  test('counts a refund that the order does not show', () => {
    const r = refund('r', [3_000n, 3_000n]);
    const { verdict, findings } = judge(
      historyOf([P, r]),
      stored([order('paid', DUE)], [row(P), row(r)]),
    );
    expect(verdict).toMatchObject({ applied: 1, lost: 1, doubled: 1 });
    expect(findings[0]).toMatch(/^lost: r \(alipay refund of O1\) must be applied/);
  });

  test('counts a notification that is applied although it must wait', () => {
    const r = refund('r', [DUE, DUE], { provider: 'wechatpay-v2' }, true);
    const rows = stored([order('refunded', DUE, DUE)], [row(P), row(r)]);
    expect(judge(historyOf([P, r]), rows).verdict).toMatchObject({ lost: 1, doubled: 1 });
  });

  test('counts a payment of another amount that moved the order', () => {
    const cheap = payment('c', { meaning: { kind: 'payment', amount: 1n } });
    expect(
      judge(historyOf([cheap]), stored([order('paid', 1n)], [row(cheap)])).verdict,
    ).toMatchObject({
      lost: 1,
      doubled: 1,
    });
    const waits = stored([order('pending')], [row(cheap, 'amount_mismatch')]);
    expect(judge(historyOf([cheap]), waits).verdict).toMatchObject({ applied: 1, ...NONE });
  });
});

describe('doubled', () => {
  test.each([
    ['two order.paid', order('paid', DUE, 0n, 2)],
    ['no order.paid', order('paid', DUE, 0n, 0)],
    ['twice the amount', order('paid', 2n * DUE)],
    ['a refund that nobody made', order('partially_refunded', DUE, 1n)],
    ['a status that its amounts deny', order('refunded', DUE)],
  ])('counts an order with %s', (_what, state) => {
    expect(judge(historyOf([P]), stored([state], [row(P)])).verdict).toMatchObject({ doubled: 1 });
  });

  test('counts a paid order without notifications', () => {
    expect(judge(historyOf([]), stored([order('paid', DUE)], [])).verdict).toMatchObject({
      doubled: 1,
    });
  });

  test('counts an order that exists and was never registered', () => {
    const history = historyOf([], { orders: [{ ...ORDER, registered: false }] });
    expect(judge(history, stored([order('pending')], [])).verdict).toMatchObject({ doubled: 1 });
  });
});

describe('falsely acknowledged', () => {
  const rows = stored([order('paid', DUE)], [row(P)]);

  test.each([
    ['none at all', []],
    ['one before the request began', [added(P, 999)]],
    ['one after its end', [added(P, 1_011)]],
    ['one of another notification', [added({ ...P, jobToken: 'Np2' })]],
  ])('counts an acknowledgement with %s', (_what, adds) => {
    const { verdict } = judge(historyOf([P], { adds }), rows);
    expect(verdict).toMatchObject({ lost: 0, falselyAcknowledged: 1 });
  });

  test('counts each sending by itself', () => {
    const sendings = [sent('p', 1_000), sent('p', 2_000), sent('p', 3_000, false)];
    expect(judge(historyOf([P], { sendings }), rows).verdict.falselyAcknowledged).toBe(1);
  });
});

describe('forged accepted', () => {
  const forged = payment('f', { forged: true });
  const nothing = stored([order('pending')], []);

  test('counts an acknowledged one', () => {
    expect(judge(historyOf([forged]), nothing).verdict).toMatchObject({
      acknowledged: 0,
      forgedAccepted: 1,
    });
  });

  test('counts a refused one that reached a store or the database', () => {
    const refused = { sendings: [sent('f', 1_000, false)] };
    const present = stored([order('pending')], [row(forged, 'unknown_order')]);
    const none = historyOf([forged], { ...refused, adds: [] });
    expect(judge(historyOf([forged], refused), nothing).verdict.forgedAccepted).toBe(1);
    expect(judge(none, present).verdict.forgedAccepted).toBe(1);
    expect(judge(none, nothing).verdict.forgedAccepted).toBe(0);
  });
});

describe('a window', () => {
  test('counts the sendings that began in it, and judges by the whole history', () => {
    const late = payment('q', { orderNumber: 'O2', trade: 'T2' });
    const orders = [ORDER, { ...ORDER, number: 'O2' }];
    const history = historyOf([P, late], {
      orders,
      sendings: [sent('p', 1_000), sent('q', 5_000)],
    });
    const rows = stored([order('paid', DUE), { ...order('pending'), number: 'O2' }], [row(P)]);
    expect(judge(history, rows, { from: 0, to: 5_000 }).verdict).toMatchObject({
      sent: 1,
      acknowledged: 1,
      applied: 1,
      ...NONE,
    });
    expect(judge(history, rows, { from: 5_000, to: 6_000 }).verdict).toMatchObject({
      sent: 1,
      applied: 0,
      lost: 1,
      doubled: 1,
    });
  });
});
