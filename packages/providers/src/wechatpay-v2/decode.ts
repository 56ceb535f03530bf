import { beijingTime } from '../beijing-time.js';
import type { NotUnderstood, PaymentEvent } from '../event.js';
import type { PaidFact, RefundFact } from '../fact.js';
import { parseFen } from '../money.js';
import type { SignedText } from '../signed-text.js';
import {
  filledField,
  paymentResult,
  type SignedMessage,
  type WechatpayV2Message,
} from './message.js';
import { isForeignEnvelope, type Payee, payeeMatches } from './payee.js';
import type { Fields } from './xml.js';

/**
 * One message concerns one order. A message that violates its protocol is `unsupported`; nothing is
 * thrown.
 */
export function decode(payee: Payee, message: WechatpayV2Message): PaymentEvent[] {
  switch (message.kind) {
    case 'payment':
      return [decodePayment(payee, message)];
    case 'contract':
      return [decodeContract(message)];
    case 'refund':
      return [decodeRefund(payee, message.fields, message.refund)];
  }
}

function decodeContract({ text, doubtful }: SignedMessage): NotUnderstood {
  const types = text.valuesOf('change_type');
  if (doubtful !== null || types.length > 1) return ambiguous(null, doubtful ?? 'change_type');
  return unsupported(null, `contract ${types[0]}`);
}

/** Values that mean "not paid". REFUND is not among them, because it implies a payment. */
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

function decodePayment(payee: Payee, { text, doubtful }: SignedMessage): PaymentEvent {
  const orderNumber = orderNumberOf(text.get('out_trade_no'));
  const inDoubt = doubtful ?? doubtfulName(payee, text);
  if (inDoubt !== null) return ambiguous(orderNumber, inDoubt);
  const result = paymentResult(text);
  if (result === undefined) return unsupported(orderNumber, 'payment without result_code');
  if (NOT_PAID.has(result)) {
    const code = text.shape.placeOf('err_code') === 'certain' ? text.get('err_code') : undefined;
    return { kind: 'nothing', orderNumber, says: short(result, code) };
  }
  if (result !== 'SUCCESS') return unsupported(orderNumber, `payment ${result}`);
  const trade = numberOf(text.get('transaction_id'));
  const amount = moneyOf(text.get('total_fee')); // never cash_fee: coupons make it smaller
  const currency = text.get('fee_type') ?? 'CNY';
  const at = beijingTime(text.anchored('time_end'), TIME_END);
  // Always present. With two, neither counts; a single one must be valid.
  const oddTime = at === null && text.countOf('time_end') < 2;
  const odd = trade === null || amount === null || oddTime || !/^[A-Z]{3}$/.test(currency);
  if (orderNumber === null || odd) return unsupported(orderNumber, 'payment SUCCESS');
  return {
    kind: 'order',
    rail: 'wechat',
    orderNumber,
    trade,
    amount,
    currency,
    payeeMatches: payeeMatches(payee, {
      merchant: text.get('mch_id'),
      app: text.get('appid'),
      subMerchant: text.get('sub_mch_id'),
      subApp: text.get('sub_appid'),
    }),
    signed: true,
    facts: [paid(trade, amount, at)],
  };
}

/**
 * The first deciding name for which the signed text leaves open whether WeChat or another party's
 * text wrote it. Behind a text, a name counts if its value means the same as absence, or matches
 * the channel file.
 */
function doubtfulName(payee: Payee, text: SignedText): string | null {
  const confused = text.shape.confused;
  if (confused !== null) return confused;
  const harmless: Readonly<Record<string, (value: string) => boolean>> = {
    change_type: () => false,
    fee_type: (currency) => currency === 'CNY',
    sub_appid: (app) => payee.appIds.includes(app),
    // A partner's payment always has one, so a text could not add a second.
    sub_mch_id: (merchant) => payee.subMerchantIds.includes(merchant),
    trade_state: () => false,
  };
  for (const [name, isHarmless] of Object.entries(harmless)) {
    const place = text.shape.placeOf(name);
    if (place === 'absent' || (place === 'certain' && name !== 'change_type')) continue;
    const known = place === 'after_text' || (place === 'after_unknown' && name !== 'sub_mch_id');
    if (!known || !isHarmless(text.get(name) ?? '')) return name;
  }
  return null;
}

/**
 * CHANGE: the money could not be returned and a person must act; API v3 calls the same ABNORMAL.
 */
const REFUND_STATUS: Readonly<Record<string, RefundFact['status'] | undefined>> = {
  SUCCESS: 'SUCCESS',
  CHANGE: 'ABNORMAL',
  REFUNDCLOSE: 'CLOSED',
};

function decodeRefund(payee: Payee, envelope: Fields, refund: Fields): PaymentEvent {
  const orderNumber = orderNumberOf(refund.get('out_trade_no'));
  const word = filledField(refund, 'refund_status') ?? '';
  const status = Object.hasOwn(REFUND_STATUS, word) ? REFUND_STATUS[word] : undefined;
  const trade = numberOf(refund.get('transaction_id'));
  const refundId = numberOf(refund.get('refund_id'));
  const total = moneyOf(refund.get('total_fee'));
  const amount = moneyOf(refund.get('refund_fee'));
  const time = filledField(refund, 'success_time'); // only a success has one
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
    payeeMatches: !isForeignEnvelope(payee, envelope),
    signed: false,
    facts: [
      // A refund implies a payment; the notice does not state its time.
      paid(trade, total, null),
      { kind: 'refund', rail: 'wechat', trade, refundId, status, amount, at },
    ],
  };
}

function paid(trade: string, amount: bigint, at: Date | null): PaidFact {
  return { kind: 'paid', rail: 'wechat', trade, amount, at };
}

/** Letters, digits and `_-|*@` (pay.weixin.qq.com, 商户订单号); WeChat's limit is 32 characters. */
function orderNumberOf(text = ''): string | null {
  return /^[A-Za-z0-9_\-|*@]{1,64}$/.test(text) ? text : null;
}

/** A trade's or a refund's number: today 28 or 29 digits, String(32) in the tables. */
function numberOf(text = ''): string | null {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : null;
}

/** Fen as an integer. 0 is invalid: no order and no refund has that amount. */
function moneyOf(text = ''): bigint | null {
  const fen = parseFen(text);
  return fen === 0n ? null : fen;
}

const TIME_END = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;
const SUCCESS_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/;

function ambiguous(orderNumber: string | null, name: string): NotUnderstood {
  return unsupported(orderNumber, `ambiguous: a text may hold ${name}=`);
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
