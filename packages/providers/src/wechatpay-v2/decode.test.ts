import { describe, expect, test } from 'vitest';
import { cutText } from '../signed-text.js';
import { decode } from './decode.js';
import type { WechatpayV2Message } from './message.js';
import { SIGNED_NAMES } from './names.js';
import type { Payee } from './payee.js';
import { textToSign } from './sign.js';

const direct: Payee = { merchantId: '1900000001', subMerchantIds: [], appIds: ['wx1', 'wx2'] };
const partner: Payee = { ...direct, subMerchantIds: ['1900000101', '1900000102'] };

const PAID = {
  return_code: 'SUCCESS',
  result_code: 'SUCCESS',
  appid: 'wx1',
  mch_id: '1900000001',
  transaction_id: '4200000000000000000000000001',
  out_trade_no: 'A-1',
  total_fee: '8888',
  cash_fee: '8000',
  settlement_total_fee: '8500',
  fee_type: 'CNY',
  time_end: '20261120000102',
};
const ENVELOPE = { return_code: 'SUCCESS', appid: 'wx1', mch_id: '1900000001' };
const REFUND = {
  transaction_id: '4200000000000000000000000001',
  out_trade_no: 'A-1',
  refund_id: '50000000000000000000000000001',
  out_refund_no: 'R-1',
  total_fee: '8888',
  settlement_total_fee: '8500',
  refund_fee: '100',
  settlement_refund_fee: '90',
  refund_status: 'SUCCESS',
  success_time: '2026-11-21 00:01:02',
};
type Changes = Record<string, string>;

function message(kind: 'payment' | 'contract', values: Changes): WechatpayV2Message {
  const fields = new Map(Object.entries(values));
  const text = cutText(textToSign(fields), SIGNED_NAMES);
  return { kind, fields, text, doubtful: null };
}
const payment = (changes: Changes = {}, payee = direct) =>
  decode(payee, message('payment', { ...PAID, ...changes }));
const refund = (changes: Changes = {}, envelope: Changes = {}, payee = direct) =>
  decode(payee, {
    kind: 'refund',
    fields: new Map(Object.entries({ ...ENVELOPE, ...envelope })),
    refund: new Map(Object.entries({ ...REFUND, ...changes })),
  });

describe('a payment', () => {
  test('states total_fee (never what the buyer paid after coupons) and Beijing’s time', () => {
    const trade = '4200000000000000000000000001';
    expect(payment()).toEqual([
      {
        kind: 'order',
        rail: 'wechat',
        orderNumber: 'A-1',
        trade,
        amount: 8888n,
        currency: 'CNY',
        payeeMatches: true,
        signed: true,
        facts: [
          {
            kind: 'paid',
            rail: 'wechat',
            trade,
            amount: 8888n,
            at: new Date('2026-11-19T16:01:02Z'),
          },
        ],
      },
    ]);
  });

  test.each([
    ['', 'CNY'],
    ['CNY', 'CNY'],
    ['USD', 'USD'],
  ])('fee_type %j is %s', (fee_type, currency) => {
    expect(payment({ fee_type })).toMatchObject([{ kind: 'order', currency }]);
  });

  test.each<[string, Changes, string]>([
    ['result_code FAIL', { result_code: 'FAIL', err_code: 'SYSTEMERROR' }, 'FAIL SYSTEMERROR'],
    ['return_code FAIL', { return_code: 'FAIL' }, 'FAIL'],
    ['return_code FAIL alone', { return_code: 'FAIL', result_code: '' }, 'FAIL'],
    ['trade_state PAY_FAIL', { trade_state: 'PAY_FAIL', contract_id: '1' }, 'PAY_FAIL'],
    ['trade_state NOTPAY', { trade_state: 'NOTPAY' }, 'NOTPAY'],
    ['trade_state ACCEPT', { trade_state: 'ACCEPT' }, 'ACCEPT'],
  ])('%s changes nothing', (_, changes, says) => {
    expect(payment(changes)).toEqual([{ kind: 'nothing', orderNumber: 'A-1', says }]);
  });

  test('a deduction is paid only if its trade_state is SUCCESS', () => {
    expect(payment({ trade_state: 'SUCCESS', contract_id: '1' })).toMatchObject([
      { kind: 'order', facts: [{ kind: 'paid', amount: 8888n }] },
    ]);
  });

  test.each<[string, Changes, string | null]>([
    ['no result_code', { result_code: '' }, 'A-1'],
    ['another result_code', { result_code: 'success' }, 'A-1'],
    ['another trade_state', { trade_state: 'REFUND' }, 'A-1'],
    ['no total_fee', { total_fee: '' }, 'A-1'],
    ['a total_fee of 0', { total_fee: '0' }, 'A-1'],
    ['a negative total_fee', { total_fee: '-1' }, 'A-1'],
    ['a decimal total_fee', { total_fee: '88.88' }, 'A-1'],
    ['an exponent', { total_fee: '1e3' }, 'A-1'],
    ['a spaced total_fee', { total_fee: ' 1' }, 'A-1'],
    ['digits of another script', { total_fee: '８８' }, 'A-1'],
    ['no time_end', { time_end: '' }, 'A-1'],
    ['an impossible day', { time_end: '20260230000000' }, 'A-1'],
    ['an impossible hour', { time_end: '20260228240000' }, 'A-1'],
    ['the other time format', { time_end: '2026-11-20 00:01:02' }, 'A-1'],
    ['an odd currency', { fee_type: 'yuan' }, 'A-1'],
    ['an odd transaction_id', { transaction_id: '42 00' }, 'A-1'],
    ['an odd out_trade_no', { out_trade_no: '单号&x=1' }, null],
  ])('%s is kept as not understood', (_, changes, orderNumber) => {
    expect(payment(changes)).toEqual([
      { kind: 'unsupported', orderNumber, says: expect.stringMatching(/^payment /) },
    ]);
  });

  test('long or odd values are shortened for lists', () => {
    const [event] = payment({ result_code: 'x'.repeat(1000) });
    expect(event).toMatchObject({ kind: 'unsupported' });
    expect(event?.kind === 'unsupported' && event.says.length).toBe(64);
  });
});

describe('the payee', () => {
  test.each<[string, Payee, Changes, boolean]>([
    ['the channel’s own', direct, {}, true],
    ['its other app', direct, { appid: 'wx2' }, true],
    ['another app', direct, { appid: 'wx9' }, false],
    ['no app', direct, { appid: '' }, false],
    ['another merchant', direct, { mch_id: '1900000002' }, false],
    ['empty partner fields', direct, { sub_mch_id: '', sub_appid: '' }, true],
    ['a sub-merchant, though no partner', direct, { sub_mch_id: '1900000101' }, false],
    ['a sub-merchant', partner, { sub_mch_id: '1900000102' }, true],
    [
      'a sub-merchant with an app of the list',
      partner,
      { sub_mch_id: '1900000102', sub_appid: 'wx2' },
      true,
    ],
    [
      'a sub-merchant with another app',
      partner,
      { sub_mch_id: '1900000102', sub_appid: 'wx9' },
      false,
    ],
    ['another sub-merchant', partner, { sub_mch_id: '1900000103' }, false],
    ['no sub-merchant, though a partner', partner, {}, false],
  ])('%s', (_, payee, changes, payeeMatches) => {
    expect(payment(changes, payee)).toMatchObject([{ kind: 'order', payeeMatches }]);
    // An envelope proves nothing: the key that opens the content does, unless the envelope
    // contradicts it.
    const silent = changes.appid === '' || Object.keys(changes).length === 0;
    const matches = payeeMatches || silent;
    expect(refund({}, changes, payee)).toMatchObject([{ kind: 'order', payeeMatches: matches }]);
  });
});

describe('a refund', () => {
  test('states one refund and the payment it implies, and is not signed', () => {
    const trade = '4200000000000000000000000001';
    expect(refund()).toEqual([
      {
        kind: 'order',
        rail: 'wechat',
        orderNumber: 'A-1',
        trade,
        amount: 8888n,
        currency: 'CNY',
        payeeMatches: true,
        signed: false,
        facts: [
          { kind: 'paid', rail: 'wechat', trade, amount: 8888n, at: null },
          {
            kind: 'refund',
            rail: 'wechat',
            trade,
            refundId: '50000000000000000000000000001',
            status: 'SUCCESS',
            amount: 100n,
            at: new Date('2026-11-20T16:01:02Z'),
          },
        ],
      },
    ]);
  });

  test.each([
    ['SUCCESS', 'SUCCESS'],
    ['CHANGE', 'ABNORMAL'],
    ['REFUNDCLOSE', 'CLOSED'],
  ])('%s is %s; only a success has a time', (refund_status, status) => {
    expect(refund({ refund_status, success_time: '' })).toMatchObject([
      { facts: [{ kind: 'paid' }, { kind: 'refund', status, at: null }] },
    ]);
  });

  test.each<[string, Changes]>([
    ['no status', { refund_status: '' }],
    ['another status', { refund_status: 'PROCESSING' }],
    ['a status like a property of objects', { refund_status: 'constructor' }],
    ['no refund_fee', { refund_fee: '' }],
    ['a refund_fee of 0', { refund_fee: '0' }],
    ['an odd total_fee', { total_fee: '88.88' }],
    ['an odd time', { success_time: '20261121000102' }],
    ['an odd refund_id', { refund_id: '5 0' }],
    ['an odd transaction_id', { transaction_id: '四' }],
    ['an odd out_trade_no', { out_trade_no: ' ' }],
  ])('%s is kept as not understood', (_, changes) => {
    expect(refund(changes)).toMatchObject([{ kind: 'unsupported' }]);
  });
});

test('a change of a contract is kept as not understood', () => {
  expect(decode(direct, message('contract', { change_type: 'ADD', contract_id: '1' }))).toEqual([
    { kind: 'unsupported', orderNumber: null, says: 'contract ADD' },
  ]);
});
