import type { NotUnderstood, OrderStatement, PaymentEvent } from '../event.js';
import type { Fact } from '../fact.js';
import { parseYuan } from '../money.js';
import type { SignedText } from '../signed-text.js';
import type { AlipaySettings } from './settings.js';
import { alipayTimeOf, codeOf } from './text.js';
import type { AlipayMessage } from './verify.js';

type Payee = Pick<AlipaySettings, 'appId' | 'sellerIds'>;

/**
 * Decodes a verified notice, by its signed text alone. Never throws: an odd but genuine notice
 * becomes `unsupported`, which is held for a person, never dropped.
 */
export function decode(payee: Payee, { text }: Pick<AlipayMessage, 'text'>): PaymentEvent {
  const notice = new Notice(text);
  const types = [...text.valuesOf('msg_method'), ...text.valuesOf('notify_type')];
  if (types.length > 1) return notice.notUnderstood('ambiguous: its type stands twice');
  const type = notice.code('msg_method') ?? notice.code('notify_type') ?? 'unreadable type';
  if (type !== 'trade_status_sync' || text.countOf('msg_method') > 0) {
    return notice.notUnderstood(type);
  }
  const doubtful = doubtfulName(text);
  if (doubtful !== null) return notice.notUnderstood(mayHold(doubtful));

  const orderNumber = notice.code('out_trade_no');
  const status = notice.code('trade_status') ?? 'no trade_status';
  if (orderNumber === null) return notice.notUnderstood(`${status}: no readable out_trade_no`);
  if (status === 'WAIT_BUYER_PAY') return { kind: 'nothing', orderNumber, says: status };
  const said = readTrade(notice, status);
  if (typeof said === 'string') return notice.notUnderstood(said);
  return {
    kind: 'order',
    rail: 'alipay',
    orderNumber,
    ...said,
    payeeMatches: payeeMatches(payee, notice),
    signed: true,
  };
}

function mayHold(name: string): string {
  return `ambiguous: a text may hold ${name}=`;
}

/**
 * The first deciding name for which the signed text leaves open whether Alipay or another party's
 * text wrote it. Names that decide nothing (`version`, `buyer_id`) may appear in a text.
 */
function doubtfulName(text: SignedText): string | null {
  const confused = text.shape.confused;
  if (confused !== null) return confused;
  for (const name of ['auth_app_id', 'trans_currency']) {
    const place = text.shape.placeOf(name);
    if (place !== 'absent' && place !== 'certain') return name;
  }
  if (!isRefundCertain(text)) return 'refund_fee';
  // No browser return has all fields of a notice; a text that looks like one is not accepted.
  const returned = text.valuesOf('method').some((value) => value.endsWith('.return'));
  return returned && text.shape.placeOf('method') !== 'wrong' ? 'method' : null;
}

/**
 * `refund_fee` directly follows `passback_params`: a buyer's `x&refund_fee=88.80` there gives the
 * text of a genuine refund. A refund counts only with a `gmt_refund` that no text precedes. A value
 * of 0 means the same as absence.
 */
function isRefundCertain(text: SignedText): boolean {
  switch (text.shape.placeOf('refund_fee')) {
    case 'absent':
    case 'certain':
      return true;
    case 'after_text':
    case 'after_unknown':
      return (
        parseYuan(text.get('refund_fee') ?? '') === 0n ||
        text.shape.placeOf('gmt_refund') === 'certain'
      );
    case 'wrong':
      return false;
  }
}

type Said = Pick<OrderStatement, 'trade' | 'amount' | 'currency' | 'facts'>;

/**
 * Each notice states all that it implies, since earlier ones may be lost.
 * @returns a text that names what cannot be read
 */
function readTrade(notice: Notice, status: string): Said | string {
  const trade = notice.code('trade_no');
  // `total_amount` is the order's amount; receipt_amount and buyer_pay_amount are smaller with
  // coupons.
  const amount = notice.yuan('total_amount');
  const currency = currencyOf(notice);
  // The presence of refund_fee proves nothing: payment notices carry `refund_fee=0.00`.
  const refunded = notice.isFilled('refund_fee') ? notice.yuan('refund_fee') : 0n;
  if (refunded === null) return `${status}: unreadable refund_fee`;
  if (currency === null) return `${status}: unreadable trans_currency`;

  if (status === 'TRADE_CLOSED' && refunded === 0n) {
    // A trade that was paid and closed was refunded, and only refund_fee states the amount.
    const paid = ['gmt_payment', 'gmt_refund'].find((name) => notice.isFilled(name));
    if (paid !== undefined) {
      const certain = notice.isCertain(paid);
      return certain ? `${status}: ${paid} without refund_fee` : mayHold(paid);
    }
    const at = notice.time('gmt_close');
    return { trade, amount, currency, facts: [{ kind: 'closed', by: 'alipay', trade, at }] };
  }
  if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED' && status !== 'TRADE_CLOSED') {
    return status;
  }
  if (trade === null) return `${status}: no readable trade_no`;
  if (amount === null) return `${status}: no readable total_amount`;
  const facts: Fact[] = [
    { kind: 'paid', rail: 'alipay', trade, amount, at: notice.time('gmt_payment') },
  ];
  if (refunded > 0n) {
    const at = notice.time('gmt_refund');
    facts.push({ kind: 'refund_total', rail: 'alipay', trade, amount: refunded, at });
  }
  if (status === 'TRADE_FINISHED') {
    facts.push({ kind: 'finished', rail: 'alipay', trade, at: notice.time('gmt_close') });
  }
  return { trade, amount, currency, facts };
}

/**
 * The app must be the channel's, and the seller one of its accounts. If a third party's app acts
 * for a merchant (`auth_app_id` is another app), only the seller number identifies the payee.
 */
function payeeMatches({ appId, sellerIds }: Payee, notice: Notice): boolean {
  if (notice.code('app_id') !== appId) return false;
  if (notice.isFilled('seller_id') && sellerIds.length > 0) {
    return sellerIds.includes(notice.code('seller_id') ?? '');
  }
  return !notice.isFilled('auth_app_id') || notice.code('auth_app_id') === appId;
}

/** `trans_currency` is the currency of `total_amount` (cross-border trades); absent elsewhere. */
function currencyOf(notice: Notice): string | null {
  if (!notice.isFilled('trans_currency')) return 'CNY';
  const currency = notice.code('trans_currency') ?? '';
  return /^[A-Z]{3}$/.test(currency) ? currency : null;
}

/** The values of a notice, in the charset that it states. */
class Notice {
  private readonly charset: string | undefined;

  constructor(private readonly text: SignedText) {
    // A notice without a charset is UTF-8; in one with two, only ASCII is read.
    const stated = text.anchored('charset');
    this.charset = stated ?? (text.countOf('charset') === 0 ? 'utf-8' : undefined);
  }

  isFilled(name: string): boolean {
    return this.text.countOf(name) > 0;
  }

  code(name: string): string | null {
    return codeOf(this.text.get(name), this.charset);
  }

  yuan(name: string): bigint | null {
    return parseYuan(this.text.get(name) ?? '');
  }

  isCertain(name: string): boolean {
    return this.text.shape.placeOf(name) === 'certain';
  }

  /** Null if a text may contain it: an uncertain time is unknown. */
  time(name: string): Date | null {
    return this.isCertain(name) ? alipayTimeOf(this.text.get(name)) : null;
  }

  notUnderstood(says: string): NotUnderstood {
    // Only a trade notice always has one: in other types a text may contain it.
    const known =
      this.code('notify_type') === 'trade_status_sync' || this.isCertain('out_trade_no');
    return { kind: 'unsupported', orderNumber: known ? this.code('out_trade_no') : null, says };
  }
}
