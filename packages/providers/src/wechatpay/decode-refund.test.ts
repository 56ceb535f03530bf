import { describe, expect, test } from 'vitest';
import {
  APP,
  decode,
  MERCHANT,
  PAID_AT,
  paidStatement,
  partner,
  payment,
  refund,
  SUB_MERCHANT,
  signer,
  TRADE,
  unsupported,
} from '../../test/wechatpay.js';
import { factKey } from '../fact.js';

describe('a refund', () => {
  const refunded = (status: 'SUCCESS' | 'CLOSED' | 'ABNORMAL', at: Date | null) => ({
    ...paidStatement,
    facts: [
      { kind: 'paid', rail: 'wechat', trade: TRADE, amount: 8888n, at: null },
      {
        kind: 'refund',
        rail: 'wechat',
        trade: TRADE,
        refundId: refund.refundId,
        status,
        amount: 100n,
        at,
      },
    ],
  });

  test.each([
    ['SUCCESS', PAID_AT],
    ['CLOSED', null],
    ['ABNORMAL', null],
  ] as const)('%s states the refund, and that its trade was paid in full', (status, at) => {
    expect(decode(signer.refund({ ...refund, status }))).toEqual([refunded(status, at)]);
    expect(decode(partner.refund({ ...refund, status }))).toEqual([refunded(status, at)]);
  });

  test("its paid fact has the same key as the payment's own", () => {
    const keys = [signer.payment(payment), signer.refund(refund)].map((notification) =>
      decode(notification).flatMap((event) =>
        event.kind === 'order' ? event.facts.map(factKey) : [],
      ),
    );
    expect(keys[1]?.[0]).toBe(keys[0]?.[0]);
  });

  test.each([
    [{}, true],
    [{ appid: APP }, true],
    [{ appid: 'wx9999999999999999' }, false],
    [{ mchid: '1900000002' }, false],
    [{ mchid: undefined }, false],
    [{ mchid: undefined, sp_mchid: MERCHANT, sub_mchid: SUB_MERCHANT }, true],
    [{ mchid: undefined, sp_mchid: MERCHANT }, false],
    [{ mchid: undefined, sp_mchid: MERCHANT, sub_mchid: '1900000999' }, false],
  ])('names no app, but its merchant counts: %o is ours: %s', (changes, payeeMatches) => {
    const events = decode(signer.refund({ ...refund, changes: { ...changes } }));
    expect(events).toEqual([{ ...refunded('SUCCESS', PAID_AT), payeeMatches }]);
  });

  test.each([
    { refund_status: 'CLOSED' },
    { refund_status: 'PROCESSING' },
    { refund_status: undefined },
    { refund_id: undefined },
    { refund_id: 50300000012 },
    { transaction_id: '' },
    { amount: { total: 8888 } },
    { amount: { refund: 100 } },
    { amount: { total: 8888, refund: 1.5 } },
    { success_time: 'soon' },
  ])('with %o is not understood', (changes) => {
    expect(decode(signer.refund({ ...refund, changes: { ...changes } }))).toEqual([
      unsupported('A1', 'REFUND.SUCCESS'),
    ]);
  });
});
