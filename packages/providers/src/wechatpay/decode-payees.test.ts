import type { WechatpayNotification } from '@payonce/testkit/signers/wechatpay';
import { describe, expect, test } from 'vitest';
import {
  decode,
  MERCHANT,
  PAID_AT,
  paidStatement,
  partner,
  payment,
  SUB_MERCHANT,
  signer,
  unsupported,
} from '../../test/wechatpay.js';

describe('the payee of a payment', () => {
  const matches = (notification: WechatpayNotification) =>
    decode(notification).map((event) => event.kind === 'order' && event.payeeMatches);
  const direct = (changes: object) =>
    matches(signer.payment({ ...payment, changes: { ...changes } }));
  const asPartner = (changes: object) =>
    matches(partner.payment({ ...payment, changes: { ...changes } }));

  test.each([
    { mchid: '1900000002' },
    { mchid: SUB_MERCHANT },
    { mchid: undefined },
    { mchid: 1900000001 },
    { appid: 'wx9999999999999999' },
    { appid: undefined },
    { appid: '' },
    { sub_mchid: '1900000999' },
    { sp_mchid: '1900000002', sub_mchid: SUB_MERCHANT },
  ])('a direct one to %o is genuine, and not ours', (changes) => {
    expect(direct(changes)).toEqual([false]);
  });

  test("a partner's is ours by merchant, sub-merchant and apps", () => {
    expect(decode(partner.payment(payment))).toEqual([paidStatement]);
    expect(asPartner({ sub_appid: undefined })).toEqual([true]);
    expect(asPartner({ sub_appid: '' })).toEqual([true]);
  });

  test.each([
    { sp_mchid: '1900000002' },
    { sp_mchid: undefined },
    { sub_mchid: '1900000999' },
    { sub_mchid: MERCHANT },
    { sub_mchid: undefined },
    { sub_mchid: '' },
    { sp_appid: 'wx9999999999999999' },
    { sp_appid: undefined },
    { sub_appid: 'wx9999999999999999' },
  ])("a partner's to %o is genuine, and not ours", (changes) => {
    expect(asPartner(changes)).toEqual([false]);
  });
});

describe('a combined order', () => {
  const orders = [
    { orderNumber: 'B1', trade: '4200000001202611230000000011', amount: 100n },
    {
      orderNumber: 'B2',
      trade: '4200000001202611230000000012',
      amount: 200n,
      merchantId: SUB_MERCHANT,
    },
  ] as const;
  const combined = { combinedOrderNumber: 'B', paidAt: PAID_AT, orders };
  const part = ({ orderNumber, trade, amount }: (typeof orders)[number]) => ({
    ...paidStatement,
    orderNumber,
    trade,
    amount,
    facts: [{ kind: 'paid', rail: 'wechat', trade, amount, at: PAID_AT }],
  });

  test('states each of its orders separately', () => {
    expect(decode(signer.combined(combined))).toEqual(orders.map(part));
    expect(decode(partner.combined(combined))).toEqual(orders.map(part));
  });

  test('checks the payee of each order separately', () => {
    const [first, second] = orders;
    const foreign = { ...second, merchantId: '1900000999' };
    expect(decode(signer.combined({ ...combined, orders: [first, foreign] }))).toEqual([
      part(first),
      { ...part(second), payeeMatches: false },
    ]);
  });

  test.each([
    { combine_mchid: '1900000999' },
    { combine_mchid: undefined },
    { combine_appid: 'wx9999999999999999' },
    { combine_appid: undefined },
  ])('placed by %o is ours in no part', (changes) => {
    expect(decode(signer.combined({ ...combined, changes }))).toEqual(
      orders.map((order) => ({ ...part(order), payeeMatches: false })),
    );
  });

  test.each([
    { sub_mchid: '1900000999' },
    { sub_appid: 'wx9999999999999999' },
    { mchid: undefined },
  ])('a part for %o is not ours', (changes) => {
    const { sub_orders } = JSON.parse(signer.combined(combined).content.resource);
    const changed = [sub_orders[0], { ...sub_orders[1], ...changes }];
    const events = decode(signer.combined({ ...combined, changes: { sub_orders: changed } }));
    expect(events).toMatchObject([{ payeeMatches: true }, { payeeMatches: false }]);
  });

  test('a part that is unpaid or unreadable does not affect the others', () => {
    const [first, second] = orders;
    const unpaid = { ...second, state: 'NOTPAY' };
    expect(decode(signer.combined({ ...combined, orders: [unpaid, first] }))).toEqual([
      { kind: 'nothing', orderNumber: 'B2', says: 'NOTPAY' },
      part(first),
    ]);
    const { sub_orders } = JSON.parse(signer.combined(combined).content.resource);
    const odd = [null, 1, [], {}, { ...sub_orders[0], amount: { total: 100 } }, sub_orders[1]];
    expect(decode(signer.combined({ ...combined, changes: { sub_orders: odd } }))).toEqual([
      unsupported(null),
      unsupported(null),
      unsupported(null),
      unsupported(null),
      unsupported('B1'),
      part(second),
    ]);
  });

  test.each([
    { sub_orders: undefined },
    { sub_orders: [] },
    { sub_orders: {} },
    { sub_orders: 'B1' },
  ])('with no orders in it is not understood: %o', (changes) => {
    expect(decode(signer.combined({ ...combined, changes }))).toEqual([unsupported(null)]);
  });
});
