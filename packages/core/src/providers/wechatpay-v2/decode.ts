import { parseFen } from '../../money.js';
import type { PaidFact, RefundFact } from '../../orders/fact.js';
import type { NotUnderstood, PaymentEvent } from '../event.js';
import { resultOf, textOf, type WechatpayV2Message } from './message.js';
import type { WechatpayV2Settings } from './settings.js';
import type { Fields } from './xml.js';

/** Whose money it is: what the message's numbers are compared with. */
export type Payee = Pick<WechatpayV2Settings, 'merchantId' | 'subMerchantIds' | 'appIds'>;

/** One message speaks of one order. What does not fit its own protocol is `unsupported`, never a throw. */
export function decode(payee: Payee, message: WechatpayV2Message): PaymentEvent[] {
  switch (message.kind) {
    case 'payment':
      return [decodePayment(payee, message.fields)];
    case 'contract':
      return [unsupported(null, `contract ${textOf(message.fields, 'change_type')}`)];
    case 'refund':
      return [decodeRefund(payee, message.fields, message.refund)];
  }
}

/** Words that say "not paid"; REFUND is not among them, because it implies a payment. */
const NOT_PAID: ReadonlySet<string> = new Set([
  'FAIL',
  'NOTPAY',
  'CLOSED',
  'REVOKED',
  'USERPAYING',
  'PAYERROR',
  'PAY_FAIL',
  'ACCEPT',
]);

function decodePayment(payee: Payee, fields: Fields): PaymentEvent {
  const orderNumber = orderNumberOf(fields);
  const result = resultOf(fields);
  if (result === undefined) return unsupported(orderNumber, 'payment without result_code');
  if (NOT_PAID.has(result)) {
    return { kind: 'nothing', orderNumber, says: short(result, textOf(fields, 'err_code')) };
  }
  if (result !== 'SUCCESS') return unsupported(orderNumber, `payment ${result}`);
  const trade = numberOf(fields, 'transaction_id');
  const amount = moneyOf(fields, 'total_fee'); // never cash_fee: coupons make it smaller
  const currency = textOf(fields, 'fee_type') ?? 'CNY';
  const at = beijingTime(textOf(fields, 'time_end'), TIME_END);
  const odd = trade === null || amount === null || at === null || !/^[A-Z]{3}$/.test(currency);
  if (orderNumber === null || odd) return unsupported(orderNumber, 'payment SUCCESS');
  return {
    kind: 'order',
    rail: 'wechat',
    orderNumber,
    trade,
    amount,
    currency,
    payeeMatches: payeeMatches(payee, fields),
    signed: true,
    facts: [paid(trade, amount, at)],
  };
}

/** CHANGE: the money could not be returned and a person must act; API v3 calls the same ABNORMAL. */
const REFUND_STATUS: Readonly<Record<string, RefundFact['status'] | undefined>> = {
  SUCCESS: 'SUCCESS',
  CHANGE: 'ABNORMAL',
  REFUNDCLOSE: 'CLOSED',
};

function decodeRefund(payee: Payee, envelope: Fields, refund: Fields): PaymentEvent {
  const orderNumber = orderNumberOf(refund);
  const word = textOf(refund, 'refund_status') ?? '';
  const status = Object.hasOwn(REFUND_STATUS, word) ? REFUND_STATUS[word] : undefined;
  const trade = numberOf(refund, 'transaction_id');
  const refundId = numberOf(refund, 'refund_id');
  const total = moneyOf(refund, 'total_fee');
  const amount = moneyOf(refund, 'refund_fee');
  const time = textOf(refund, 'success_time'); // only a success has one
  const at = beijingTime(time, SUCCESS_TIME);
  const odd = trade === null || refundId === null || total === null || amount === null;
  if (orderNumber === null || odd || status === undefined || (time !== undefined && at === null)) {
    return unsupported(orderNumber, `refund ${word}`);
  }
  return {
    kind: 'order',
    rail: 'wechat',
    orderNumber,
    trade,
    amount: total,
    currency: 'CNY', // the notice names none
    payeeMatches: payeeMatches(payee, envelope),
    signed: false,
    facts: [
      // Only what was paid can be refunded; the notice does not say when it was.
      paid(trade, total, null),
      { kind: 'refund', rail: 'wechat', trade, refundId, status, amount, at },
    ],
  };
}

function paid(trade: string, amount: bigint, at: Date | null): PaidFact {
  return { kind: 'paid', rail: 'wechat', trade, amount, at };
}

function payeeMatches(payee: Payee, fields: Fields): boolean {
  const subMerchant = textOf(fields, 'sub_mch_id');
  const subApp = textOf(fields, 'sub_appid');
  const partner = payee.subMerchantIds.length > 0;
  return (
    textOf(fields, 'mch_id') === payee.merchantId &&
    payee.appIds.includes(textOf(fields, 'appid') ?? '') &&
    (subMerchant === undefined ? !partner : payee.subMerchantIds.includes(subMerchant)) &&
    (subApp === undefined || payee.appIds.includes(subApp))
  );
}

/** Letters, digits and `_-|*@` (pay.weixin.qq.com, 商户订单号); WeChat's limit is 32 characters. */
function orderNumberOf(fields: Fields): string | null {
  const text = fields.get('out_trade_no') ?? '';
  return /^[A-Za-z0-9_\-|*@]{1,64}$/.test(text) ? text : null;
}

/** A trade's or a refund's number: today 28 or 29 digits, String(32) in the tables. */
function numberOf(fields: Fields, name: string): string | null {
  const text = fields.get(name) ?? '';
  return /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : null;
}

/** Fen as an integer; nothing costs, and no refund is, 0. */
function moneyOf(fields: Fields, name: string): bigint | null {
  const fen = parseFen(fields.get(name) ?? '');
  return fen === 0n ? null : fen;
}

const TIME_END = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;
const SUCCESS_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;

/** All times of API v2 are China Standard Time. Null for an absent, odd or impossible one (30 February). */
function beijingTime(text: string | undefined, shape: RegExp): Date | null {
  const [, year, month, day, hour, minute, second] = shape.exec(text ?? '') ?? [];
  if (year === undefined) return null;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000`;
  const asIfUtc = new Date(`${local}Z`);
  if (Number.isNaN(asIfUtc.getTime()) || asIfUtc.toISOString() !== `${local}Z`) return null;
  return new Date(`${local}+08:00`);
}

function unsupported(orderNumber: string | null, says: string): NotUnderstood {
  return { kind: 'unsupported', orderNumber, says: short(says) };
}

/** For lists and logs; the raw bytes are kept elsewhere. */
function short(...words: (string | undefined)[]): string {
  return words
    .filter((word) => word !== undefined)
    .join(' ')
    .slice(0, 64);
}
