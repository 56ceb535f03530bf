import { alipaySignedBytes } from '@payonce/testkit/signers/alipay-wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText } from '../signed-text.js';
import { decode } from './decode.js';
import { TRADE_NAMES } from './names.js';

const payee = { appId: '2021000000000001', sellerIds: ['2088000000000001'] };
const TRADE = {
  app_id: payee.appId,
  auth_app_id: payee.appId,
  charset: 'utf-8',
  notify_id: 'n-1',
  notify_type: 'trade_status_sync',
  out_trade_no: 'order-1',
  seller_id: '2088000000000001',
  total_amount: '88.80',
  trade_no: 'T1',
  trade_status: 'TRADE_SUCCESS',
};
type Changes = Readonly<Record<string, string | undefined>>;

function decoded(changes: Changes, settings = payee, charset: 'utf-8' | 'GBK' = 'utf-8') {
  const fields = Object.entries({ ...TRADE, ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  const signed = alipaySignedBytes(fields as [string, string][], { charset });
  return decode(settings, { text: cutText(signed.toString('latin1'), TRADE_NAMES) });
}
const paid = { kind: 'paid', rail: 'alipay', trade: 'T1', amount: 8880n, at: null } as const;

describe('the content of a trade notice', () => {
  it('TRADE_SUCCESS: paid with total_amount, whatever the other amounts are after coupons', () => {
    const gmt_payment = '2026-11-23 16:32:00';
    const coupons = { receipt_amount: '80.00', buyer_pay_amount: '70.00' };
    expect(decoded({ ...coupons, gmt_payment })).toEqual({
      kind: 'order',
      rail: 'alipay',
      orderNumber: 'order-1',
      trade: 'T1',
      amount: 8880n,
      currency: 'CNY',
      payeeMatches: true,
      signed: true,
      facts: [{ ...paid, at: new Date('2026-11-23T08:32:00Z') }],
    });
  });

  it('TRADE_SUCCESS with refund_fee: paid, and refunded by that total', () => {
    const changes = { refund_fee: '3.00', gmt_refund: '2026-11-23 16:32:00.123' };
    const at = new Date('2026-11-23T08:32:00.123Z');
    expect(decoded(changes)).toMatchObject({
      facts: [paid, { kind: 'refund_total', rail: 'alipay', trade: 'T1', amount: 300n, at }],
    });
  });

  it('TRADE_FINISHED: paid and finished, since the earlier notice may be lost', () => {
    const changes = { trade_status: 'TRADE_FINISHED', gmt_close: '2026-11-23 16:32:00' };
    const at = new Date('2026-11-23T08:32:00Z');
    expect(decoded(changes)).toMatchObject({
      facts: [paid, { kind: 'finished', rail: 'alipay', trade: 'T1', at }],
    });
    expect(decoded({ ...changes, refund_fee: '1.00' })).toMatchObject({
      facts: [{ kind: 'paid' }, { kind: 'refund_total', amount: 100n }, { kind: 'finished' }],
    });
  });

  it('TRADE_CLOSED with refund_fee: paid and refunded; without: closed unpaid', () => {
    const closed = { trade_status: 'TRADE_CLOSED', gmt_close: '2026-11-23 16:32:00' };
    expect(decoded({ ...closed, refund_fee: '88.80' })).toMatchObject({
      facts: [paid, { kind: 'refund_total', amount: 8880n }],
    });
    const at = new Date('2026-11-23T08:32:00Z');
    for (const refund_fee of [undefined, '', '0.00', '0']) {
      expect(decoded({ ...closed, refund_fee })).toMatchObject({
        facts: [{ kind: 'closed', by: 'alipay', trade: 'T1', at }],
      });
    }
    expect(decoded({ ...closed, trade_no: undefined, total_amount: undefined })).toMatchObject({
      trade: null,
      amount: null,
      facts: [{ kind: 'closed', trade: null }],
    });
  });

  it('refund_fee=0.00 and gmt_close prove nothing', () => {
    const changes = { refund_fee: '0.00', gmt_close: '2026-11-23 16:32:00' };
    expect(decoded(changes)).toMatchObject({ facts: [paid] });
  });

  it('WAIT_BUYER_PAY changes nothing', () => {
    const nothing = { kind: 'nothing', orderNumber: 'order-1', says: 'WAIT_BUYER_PAY' };
    expect(decoded({ trade_status: 'WAIT_BUYER_PAY', total_amount: '?' })).toEqual(nothing);
  });

  it.each([
    '2026-02-30 00:00:00',
    '2026-11-23',
    '2026-13-01 00:00:00',
    '2026-11-23 24:00:00',
    'soon',
  ])('an unreadable time (%s) is unknown, and stops no payment', (gmt_payment) =>
    expect(decoded({ gmt_payment })).toMatchObject({ facts: [paid] }),
  );
});

describe('who was paid', () => {
  const matches = (changes: Changes, settings = payee) => {
    const event = decoded(changes, settings);
    return event.kind === 'order' ? event.payeeMatches : event.kind;
  };

  it('is the channel’s app and one of its sellers', () => {
    expect(matches({})).toBe(true);
    expect(matches({ app_id: '2021000000000009' })).toBe(false);
    expect(matches({ app_id: undefined })).toBe(false);
    expect(matches({ seller_id: '2088000000000009' })).toBe(false);
    expect(matches({ seller_id: undefined })).toBe(true);
  });

  it('where a third party’s app acts for a merchant, the seller number decides', () => {
    const auth_app_id = '2021000000000009';
    expect(matches({ auth_app_id })).toBe(true);
    expect(matches({ auth_app_id, seller_id: undefined })).toBe(false);
    expect(matches({ auth_app_id }, { ...payee, sellerIds: [] })).toBe(false);
    expect(matches({ seller_id: '2088000000000009' }, { ...payee, sellerIds: [] })).toBe(true);
  });
});

describe('a genuine notice that is not understood is kept for a person', () => {
  it.each<[string, Changes]>([
    [
      'a platform message',
      { msg_method: 'alipay.fund.trans.order.changed', notify_type: undefined },
    ],
    ['a platform message that calls itself a trade notice', { msg_method: 'a.b' }],
    ['another notify_type', { notify_type: 'servicemarket_order_notify' }],
    ['an unknown trade_status', { trade_status: 'TRADE_PENDING' }],
    ['no trade_status', { trade_status: undefined }],
    ['no order number', { out_trade_no: undefined }],
    ['an order number with a NUL, which no database takes', { out_trade_no: 'a\u0000b' }],
    ['an order number longer than Alipay allows', { out_trade_no: '9'.repeat(65) }],
    ['no trade number', { trade_no: '' }],
    ['no amount', { total_amount: undefined }],
    ['a negative amount', { total_amount: '-1.00' }],
    ['an amount with three decimals', { total_amount: '1.000' }],
    ['an amount with an exponent', { total_amount: '1e2' }],
    ['an unreadable refund', { refund_fee: '1,00' }],
    ['an unreadable currency', { trans_currency: 'yuan' }],
    ['an unknown charset around a Chinese order number', { charset: 'big5', out_trade_no: '订单' }],
  ])('%s', (_, changes) => {
    expect(decoded(changes).kind).toBe('unsupported');
  });

  it('with the provider’s term', () => {
    expect(decoded({ msg_method: 'a.b', notify_type: undefined })).toEqual({
      kind: 'unsupported',
      orderNumber: 'order-1',
      says: 'a.b',
    });
  });
});

it('the currency of a cross-border trade is kept', () => {
  expect(decoded({ trans_currency: 'USD' })).toMatchObject({ currency: 'USD' });
});

describe('charset', () => {
  it.each(['GBK', 'gbk', 'GB2312', 'GB18030'])('%s is read as it was written', (charset) => {
    const event = decoded({ charset, out_trade_no: '订单1' }, payee, 'GBK');
    expect(event).toMatchObject({ kind: 'order', orderNumber: '订单1' });
  });

  it('that does not fit the order number makes it unreadable, never another one', () => {
    expect(decoded({ out_trade_no: '订单1' }, payee, 'GBK').kind).toBe('unsupported');
    expect(decoded({ charset: 'GBK', out_trade_no: '单' }).kind).toBe('unsupported');
  });

  it('that does not fit the subject stops no payment', () => {
    expect(decoded({ subject: '订单' }, payee, 'GBK').kind).toBe('order');
  });
});

describe('one signed text can be cut into fields in two ways', () => {
  const CUT = { subject: 'x', total_amount: '9999.00', total_b: 'y&total_amount=0.01' };
  const genuine = { subject: 'x&total_amount=9999.00&total_b=y', total_amount: '0.01' };

  it('so neither moves money: the one that was sent, and the one that a buyer made of it', () => {
    for (const changes of [CUT, genuine]) {
      expect(decoded(changes)).toMatchObject({ kind: 'unsupported', orderNumber: 'order-1' });
    }
  });

  it('but an ordinary & in a text is harmless', () => {
    expect(decoded({ subject: 'A & B', passback_params: 'a=1&b=2' }).kind).toBe('order');
  });
});

it('never throws, and always returns an event, whatever was signed', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'trade_status_sync',
      'TRADE_CLOSED',
      'TRADE_FINISHED',
      '0.00',
      '1.00',
      'GBK',
      '',
    ),
  );
  const changes = fc.dictionary(
    fc.constantFrom(...Object.keys(TRADE), 'refund_fee', 'gmt_close', 'msg_method', 'subject'),
    value,
  );
  fc.assert(
    fc.property(changes, (changed) => {
      const event = decoded(changed);
      expect(['order', 'nothing', 'unsupported']).toContain(event.kind);
      if (event.kind === 'order') expect(event.facts.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
}, 60_000);
