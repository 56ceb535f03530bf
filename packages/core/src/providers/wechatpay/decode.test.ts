import { generateRsaKeyPair, randomApiKey, randomPublicKeyId } from '@payonce/testkit/keys';
import { createWechatpaySigner, type WechatpayNotification } from '@payonce/testkit/wechatpay';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factKey } from '../../orders/fact.js';
import { wechatpay } from './wechatpay.js';

const NOW = new Date('2026-11-23T08:00:00Z');
const PAID_AT = new Date('2026-11-23T07:59:58Z');
const APP = 'wx0000000000000001';
const SUB_APP = 'wx0000000000000002';
const MERCHANT = '1900000001';
const SUB_MERCHANT = '1900000109';

const pair = generateRsaKeyPair();
const serial = randomPublicKeyId();
const apiV3Key = randomApiKey();
const secrets: Record<string, string> = { PUBLIC_KEY: pair.publicPem, API_V3_KEY: apiV3Key };
const channel = wechatpay.create(
  wechatpay.settings.parse({
    merchantId: MERCHANT,
    subMerchantIds: [SUB_MERCHANT],
    appIds: [APP, SUB_APP],
    apiV3Keys: [{ env: 'API_V3_KEY' }],
    keys: { [serial]: { env: 'PUBLIC_KEY' } },
  }),
  (source) => ('env' in source ? (secrets[source.env] ?? '') : ''),
);

const signing = { apiV3Key, privateKey: pair.privateKey, serial, clock: () => NOW };
const signer = createWechatpaySigner({ ...signing, appId: APP, merchantId: MERCHANT });
const partner = createWechatpaySigner({
  ...signing,
  appId: APP,
  merchantId: MERCHANT,
  subAppId: SUB_APP,
  subMerchantId: SUB_MERCHANT,
});

/** Verified as genuine, then decoded. */
function decode(notification: WechatpayNotification) {
  const verdict = channel.verify({ ...notification, receivedAt: NOW });
  if (!verdict.ok) throw new Error(`refused: ${verdict.reason}`);
  return channel.decode(verdict.request);
}

const TRADE = '4200000001202611230000000001';
const payment = { orderNumber: 'A1', trade: TRADE, amount: 8888n, paidAt: PAID_AT };
const refund = {
  orderNumber: 'A1',
  trade: TRADE,
  amount: 8888n,
  refundId: '50300000012026112300000000001',
  refundAmount: 100n,
  refundedTotal: 100n,
  refundedAt: PAID_AT,
  full: false,
};
const paidStatement = {
  kind: 'order',
  rail: 'wechat',
  orderNumber: 'A1',
  trade: TRADE,
  amount: 8888n,
  currency: 'CNY',
  payeeMatches: true,
  signed: true,
  facts: [{ kind: 'paid', rail: 'wechat', trade: TRADE, amount: 8888n, at: PAID_AT }],
};

/** A payment with other properties in its resource; `undefined` takes one away. */
const paidWith = (changes: object) =>
  decode(signer.payment({ ...payment, changes: { ...changes } }));
const unsupported = (orderNumber: string | null = 'A1', says = 'TRANSACTION.SUCCESS') => ({
  kind: 'unsupported',
  orderNumber,
  says,
});

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

  test('in another currency says so', () => {
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

  test('in a state nobody could store is shown without what a database chokes on', () => {
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
    expect(paidWith(changes)).toEqual([unsupported()]);
  });

  test.each([undefined, null, '', 123, 'a b', '订单', 'a\u0000'])(
    'an order number %j names no order',
    (out_trade_no) => {
      expect(paidWith({ out_trade_no })).toEqual([unsupported(null)]);
    },
  );

  test('IDs that were through a number are not taken, however it was written', () => {
    const event = (resource: string) =>
      decode(signer.event({ eventType: 'TRANSACTION.SUCCESS', resource }));
    const { resource } = signer.payment(payment).content;
    for (const number of ['4.2000012322021104e+27', '1217752501201407033233368018', '123']) {
      expect(event(resource.replace(`"${TRADE}"`, number))).toEqual([unsupported()]);
      expect(event(resource.replace('"A1"', number))).toEqual([unsupported(null)]);
    }
    expect(event(resource)).toEqual([paidStatement]);
  });

  test('an amount that a double would round is not taken', () => {
    const { resource } = signer.payment(payment).content;
    for (const number of ['8888.00000000000000001', '8888.0', '8.888e3', '9007199254740993']) {
      const changed = resource.replace('"total":8888', `"total":${number}`);
      expect(changed).not.toBe(resource);
      expect(decode(signer.event({ eventType: 'TRANSACTION.SUCCESS', resource: changed }))).toEqual(
        [unsupported()],
      );
    }
  });

  test.each(['', 'not json', '[]', '"text"', '{"out_trade_no":"A1","out_trade_no":"A2"}'])(
    'content that is not one JSON object without doubled keys: %j',
    (resource) => {
      // Empty content cannot even be sealed as WeChat does, so it never gets this far.
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

  test('states each of its orders by itself', () => {
    expect(decode(signer.combined(combined))).toEqual(orders.map(part));
    expect(decode(partner.combined(combined))).toEqual(orders.map(part));
  });

  test('checks the payee of each order by itself', () => {
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

  test('a part that is unpaid or cannot be read does not touch the others', () => {
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

test('decoding never throws and always says something, whatever was genuinely sent', () => {
  const eventTypes = fc.constantFrom(
    'TRANSACTION.SUCCESS',
    'TRANSACTION.FAIL',
    'REFUND.SUCCESS',
    'OTHER',
  );
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom('SUCCESS', 'A1', MERCHANT));
  const part = fc.dictionary(
    fc.constantFrom(
      'mchid',
      'sub_mchid',
      'out_trade_no',
      'transaction_id',
      'trade_state',
      'amount',
    ),
    odd,
  );
  const resources = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.json(),
    part.map((value) => JSON.stringify(value)),
    fc
      .record({
        combine_out_trade_no: odd,
        sub_orders: fc.oneof(odd, fc.array(fc.oneof(part, odd))),
      })
      .map((value) => JSON.stringify(value)),
    part.map((value) => JSON.stringify({ refund_status: 'SUCCESS', refund_id: '1', ...value })),
  );
  fc.assert(
    fc.property(eventTypes, resources, (eventType, resource) => {
      expect(decode(signer.event({ eventType, resource })).length).toBeGreaterThan(0);
    }),
  );
});
