import { parseYuan } from '../../money.js';
import type { Fact } from '../../orders/fact.js';
import type { NotUnderstood, OrderStatement, PaymentEvent } from '../event.js';
import type { Form } from './form.js';
import type { AlipaySettings } from './settings.js';
import { beijingTimeOf, codeOf, textOf } from './text.js';
import type { AlipayMessage } from './verify.js';

/**
 * What a verified notice says of its order. Never throws: a genuine notice that is odd in any way
 * becomes `unsupported`, which is held for a person, never dropped.
 */
export function decodeAlipay(
  payee: Pick<AlipaySettings, 'appId' | 'sellerIds'>,
  { form }: AlipayMessage,
): PaymentEvent {
  const type = codeOf(form, 'msg_method') ?? codeOf(form, 'notify_type') ?? 'unreadable type';
  if (form.isFilled('msg_method') || type !== 'trade_status_sync') return notUnderstood(form, type);
  const smuggled = hiddenField(form);
  if (smuggled !== null) return notUnderstood(form, `ambiguous: a value contains &${smuggled}=`);

  const orderNumber = codeOf(form, 'out_trade_no');
  const status = codeOf(form, 'trade_status') ?? 'no trade_status';
  if (orderNumber === null) return notUnderstood(form, `${status}: no readable out_trade_no`);
  if (status === 'WAIT_BUYER_PAY') return { kind: 'nothing', orderNumber, says: status };
  const said = readTrade(form, status);
  if (typeof said === 'string') return notUnderstood(form, said);
  return {
    kind: 'order',
    rail: 'alipay',
    orderNumber,
    ...said,
    payeeMatches: payeeMatches(payee, form),
    signed: true,
  };
}

type Said = Pick<OrderStatement, 'trade' | 'amount' | 'currency' | 'facts'>;

/**
 * Each notice states all that it implies, since the earlier ones may be lost.
 * @returns a text that names what cannot be read
 */
function readTrade(form: Form, status: string): Said | string {
  const trade = codeOf(form, 'trade_no');
  // `total_amount` is what the order costs; receipt_amount and buyer_pay_amount are smaller with coupons.
  const amount = yuanOf(form, 'total_amount');
  const currency = currencyOf(form);
  // The presence of refund_fee proves nothing: payment notices carry `refund_fee=0.00`.
  const refunded = form.isFilled('refund_fee') ? yuanOf(form, 'refund_fee') : 0n;
  if (refunded === null) return `${status}: unreadable refund_fee`;
  if (currency === null) return `${status}: unreadable trans_currency`;

  if (status === 'TRADE_CLOSED' && refunded === 0n) {
    const at = beijingTimeOf(form, 'gmt_close');
    return { trade, amount, currency, facts: [{ kind: 'closed', by: 'alipay', trade, at }] };
  }
  if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED' && status !== 'TRADE_CLOSED') {
    return status;
  }
  if (trade === null) return `${status}: no readable trade_no`;
  if (amount === null) return `${status}: no readable total_amount`;
  const facts: Fact[] = [
    { kind: 'paid', rail: 'alipay', trade, amount, at: beijingTimeOf(form, 'gmt_payment') },
  ];
  if (refunded > 0n) {
    const at = beijingTimeOf(form, 'gmt_refund');
    facts.push({ kind: 'refund_total', rail: 'alipay', trade, amount: refunded, at });
  }
  if (status === 'TRADE_FINISHED') {
    facts.push({ kind: 'finished', rail: 'alipay', trade, at: beijingTimeOf(form, 'gmt_close') });
  }
  return { trade, amount, currency, facts };
}

/**
 * The app must be the channel's, and the seller one of its accounts. Where a third party's app acts for a
 * merchant (`auth_app_id` is another app), only the seller number tells whose money it is.
 */
function payeeMatches(
  { appId, sellerIds }: Pick<AlipaySettings, 'appId' | 'sellerIds'>,
  form: Form,
): boolean {
  if (codeOf(form, 'app_id') !== appId) return false;
  if (form.isFilled('seller_id') && sellerIds.length > 0) {
    return sellerIds.includes(codeOf(form, 'seller_id') ?? '');
  }
  return !form.isFilled('auth_app_id') || codeOf(form, 'auth_app_id') === appId;
}

function yuanOf(form: Form, name: string): bigint | null {
  const text = textOf(form, name);
  return text === null ? null : parseYuan(text);
}

/** `trans_currency` is the currency of `total_amount` (cross-border trades); absent elsewhere. */
function currencyOf(form: Form): string | null {
  if (!form.isFilled('trans_currency')) return 'CNY';
  const text = textOf(form, 'trans_currency') ?? '';
  return /^[A-Z]{3}$/.test(text) ? text : null;
}

/** What is read above, and so must not stand inside another value. */
const READ_FIELDS = [
  'app_id',
  'auth_app_id',
  'charset',
  'gmt_close',
  'gmt_payment',
  'gmt_refund',
  'method',
  'msg_method',
  'notify_id',
  'notify_type',
  'out_trade_no',
  'refund_fee',
  'seller_id',
  'total_amount',
  'trade_no',
  'trade_status',
  'trans_currency',
] as const;

/**
 * Alipay signs `a=1&b=2` without escaping, so one signed text can be cut into fields in several ways: a
 * buyer whose words reach `subject` could move `total_amount=0.01` into a neighbour's value and cut out an
 * amount of his own. Either cut leaves one of our fields inside a value; a person has to look at it.
 */
function hiddenField(form: Form): string | null {
  for (const value of form.values) {
    if (!value.includes('&')) continue;
    const hidden = READ_FIELDS.find((name) => value.includes(`&${name}=`));
    if (hidden !== undefined) return hidden;
  }
  return null;
}

function notUnderstood(form: Form, says: string): NotUnderstood {
  return { kind: 'unsupported', orderNumber: codeOf(form, 'out_trade_no'), says };
}
