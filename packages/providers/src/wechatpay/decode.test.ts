import { describe, expect, test } from 'vitest';
import {
  decode,
  paidStatement,
  payment,
  signer,
  TRADE,
  unsupported,
} from '../../test/wechatpay.js';

/** A payment with other properties in its resource; `undefined` removes one. */
const paidWith = (changes: object) =>
  decode(signer.payment({ ...payment, changes: { ...changes } }));

describe('a payment', () => {
  test('states that the trade was paid, with the order total and the time paid', () => {
    expect(decode(signer.payment(payment))).toEqual([paidStatement]);
  });

  test('is compared by the order total, not by what the payer paid after coupons', () => {
    const amount = { total: 8888, payer_total: 8000, currency: 'CNY', payer_currency: 'CNY' };
    expect(paidWith({ amount })).toEqual([paidStatement]);
  });

  test.each([{ total: 8888 }, { total: 8888, currency: null }, { total: 8888, currency: '' }])(
    'without a currency is CNY: %o',
    (amount) => {
      expect(paidWith({ amount })).toEqual([paidStatement]);
    },
  );

  test('in another currency states it', () => {
    expect(paidWith({ amount: { total: 8888, currency: 'HKD' } })).toEqual([
      { ...paidStatement, currency: 'HKD' },
    ]);
  });

  test.each(['2026-11-23T15:59:58+08:00', '2026-11-23T07:59:58Z', '2026-11-23T07:59:58.000+00:00'])(
    'tells its time by RFC 3339: %s',
    (success_time) => {
      expect(paidWith({ success_time })).toEqual([paidStatement]);
    },
  );

  test.each([undefined, null, ''])(
    'without a time is paid at no known time: %s',
    (success_time) => {
      expect(paidWith({ success_time })).toMatchObject([{ facts: [{ kind: 'paid', at: null }] }]);
    },
  );

  test.each(['NOTPAY', 'CLOSED', 'REFUND', 'PAYERROR', 'USERPAYING', 'ACCEPT', 'success'])(
    'in the state %s changes nothing',
    (state) => {
      expect(paidWith({ trade_state: state })).toEqual([
        { kind: 'nothing', orderNumber: 'A1', says: state },
      ]);
    },
  );

  test('that failed changes nothing, and one that failed with SUCCESS is not understood', () => {
    expect(decode(signer.failed(payment))).toEqual([
      { kind: 'nothing', orderNumber: 'A1', says: 'PAYERROR' },
    ]);
    const contradiction = signer.failed({ ...payment, changes: { trade_state: 'SUCCESS' } });
    expect(decode(contradiction)).toEqual([unsupported('A1', 'TRANSACTION.FAIL')]);
  });

  test('in a state that cannot be stored is shown without the rejected characters', () => {
    expect(paidWith({ trade_state: `\u0000付${'x'.repeat(100)}` })).toEqual([
      { kind: 'nothing', orderNumber: 'A1', says: `??${'x'.repeat(62)}` },
    ]);
  });
});

describe('genuine but odd content is not understood, and never a wrong payment', () => {
  test.each([
    { trade_state: undefined },
    { trade_state: 1 },
    { trade_state: '' },
    { transaction_id: undefined },
    { transaction_id: '' },
    { transaction_id: 'x'.repeat(65) },
    { amount: undefined },
    { amount: null },
    { amount: 8888 },
    { amount: [] },
    { amount: { total: '8888' } },
    { amount: { total: -1 } },
    { amount: { total: 88.88 } },
    { amount: { total: 1e21 } },
    { amount: { total: null } },
    { amount: { payer_total: 8888 } },
    { amount: { total_amount: 8888 } },
    { amount: { total: 8888, currency: 'Yuan' } },
    { amount: { total: 8888, currency: 156 } },
    { success_time: 'yesterday' },
    { success_time: '2026-11-23 15:59:58' },
    { success_time: '2026-02-30T15:59:58+08:00' },
    { success_time: 1763884798 },
  ])('%o', (changes) => {
    expect(paidWith(changes)).toEqual([unsupported('A1')]);
  });

  test.each([undefined, null, '', 123, 'a b', '订单', 'a\u0000'])(
    'an order number %j names no order',
    (out_trade_no) => {
      expect(paidWith({ out_trade_no })).toEqual([unsupported(null)]);
    },
  );

  test('IDs that were numbers are rejected, however they were written', () => {
    const event = (resource: string) =>
      decode(signer.event({ eventType: 'TRANSACTION.SUCCESS', resource }));
    const { resource } = signer.payment(payment).content;
    for (const number of ['4.2000012322021104e+27', '1217752501201407033233368018', '123']) {
      expect(event(resource.replace(`"${TRADE}"`, number))).toEqual([unsupported('A1')]);
      expect(event(resource.replace('"A1"', number))).toEqual([unsupported(null)]);
    }
    expect(event(resource)).toEqual([paidStatement]);
  });

  test('an amount that a double would round is rejected', () => {
    const { resource } = signer.payment(payment).content;
    for (const number of ['8888.00000000000000001', '8888.0', '8.888e3', '9007199254740993']) {
      const changed = resource.replace('"total":8888', `"total":${number}`);
      expect(changed).not.toBe(resource);
      expect(decode(signer.event({ eventType: 'TRANSACTION.SUCCESS', resource: changed }))).toEqual(
        [unsupported('A1')],
      );
    }
  });

  test.each(['', 'not json', '[]', '"text"', '{"out_trade_no":"A1","out_trade_no":"A2"}'])(
    'content that is not one JSON object without doubled keys: %j',
    (resource) => {
      // Empty content cannot be sealed as WeChat does, so it never gets this far.
      if (resource === '')
        return expect(() => decode(signer.event({ eventType: 'X', resource }))).toThrow(
          'undecryptable',
        );
      expect(decode(signer.event({ eventType: 'TRANSACTION.SUCCESS', resource }))).toEqual([
        unsupported(null),
      ]);
    },
  );

  test.each([
    'PAYSCORE.USER_PAID',
    'TRANSACTION.PAY_BACK',
    'MCHTRANSFER.BILL.FINISHED',
    'refund.success',
    'NEW.KIND',
  ])('the event type %s', (eventType) => {
    const { resource } = signer.payment(payment).content;
    expect(decode(signer.event({ eventType, resource }))).toEqual([unsupported('A1', eventType)]);
  });
});
