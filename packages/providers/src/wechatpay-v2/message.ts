import { sha256Hex } from '../crypto.js';
import type { ContentIdentity } from '../provider.js';
import { cutText, isWhole, type SignedText } from '../signed-text.js';
import { isOfSending, SIGNED_NAMES, WHOLE_PAYMENT } from './names.js';
import type { Fields } from './xml.js';

/** A verified message, with the provider's names. */
export type WechatpayV2Message = SignedMessage | RefundMessage;

export interface SignedMessage {
  /**
   * - `payment`: a payment result, or the result of a deduction (委托代扣), which adds `trade_state`
   *   and `contract_id`
   * - `contract`: a deduction contract was signed or ended
   */
  readonly kind: 'payment' | 'contract';
  /** The fields as they arrived: the signature fits other cuts as well. */
  readonly fields: Fields;
  readonly text: SignedText;
  /** The name that puts the kind or the whole message in doubt; null if none does. */
  readonly doubtful: string | null;
}

export interface RefundMessage {
  readonly kind: 'refund';
  /** The envelope, which nothing authenticates. */
  readonly fields: Fields;
  /** The opened `req_info`. */
  readonly refund: Fields;
}

/** An empty element means the same as an absent one (and is not signed either). */
export function filledField(fields: Fields, name: string): string | undefined {
  return fields.get(name) || undefined;
}

export function hasAll(fields: Fields, ...names: string[]): boolean {
  return names.every((name) => filledField(fields, name) !== undefined);
}

/** A single value of each name; undefined for an absent one. */
interface Values {
  get(name: string): string | undefined;
}

/**
 * The first value that is not SUCCESS, in the order in which the levels depend on one another:
 * communication, business, and for deductions the trade. Undefined when a level is missing.
 */
export function resultOf(values: Values): string | undefined {
  const levels = [values.get('return_code'), values.get('result_code')];
  const state = values.get('trade_state');
  if (state) levels.push(state);
  for (const word of levels) if (word !== 'SUCCESS') return word || undefined;
  return 'SUCCESS';
}

/**
 * Classifies a signed message by its signed text. A notification has its required names, and no
 * names that only other messages carry. Only a failure may lack `transaction_id`.
 * @returns null for a message that is no notification, whatever another party's text in it contains
 */
export function readSigned(fields: Fields, signed: string): SignedMessage | null {
  const text = cutText(signed, SIGNED_NAMES);
  const has = (name: string) => text.countOf(name) > 0;
  if (!has('return_code') || !has('mch_id')) return null;
  if (isAnswer(text)) return null;
  const foreign = text.shape.foreign;
  if (foreign !== null) {
    const whole = isWhole(text, WHOLE_PAYMENT, () => false);
    return whole ? { kind: 'payment', fields, text, doubtful: foreign } : null;
  }
  if (has('change_type')) {
    const two = has('transaction_id') || has('out_trade_no');
    if (two) return { kind: 'payment', fields, text, doubtful: 'change_type' };
    if (!has('contract_id') && !has('contract_code')) return null;
    return { kind: 'contract', fields, text, doubtful: null };
  }
  const demanded = paymentResult(text) === 'SUCCESS';
  if (!has('out_trade_no') || (demanded && !has('transaction_id'))) return null;
  return { kind: 'payment', fields, text, doubtful: null };
}

/**
 * Responses that resemble a payment result: to the query of an order (`trade_state_desc`), and to a
 * code that the shop scanned, for which WeChat sends no notification. Every name that may contain a
 * text sorts before `total_fee`, so the pieces behind the last one are the signer's.
 */
function isAnswer(text: SignedText): boolean {
  if (text.valuesOf('trade_type').at(-1) === 'MICROPAY') return true;
  const behind = text.shape.piecesOf('total_fee').at(-1);
  const described = text.shape.piecesOf('trade_state_desc').at(-1);
  return behind !== undefined && described !== undefined && described > behind;
}

/** Like `resultOf`, but only with certain values. */
export function paymentResult(text: SignedText): string | undefined {
  return hasDoubtfulResult(text) ? undefined : resultOf(text);
}

function hasDoubtfulResult(text: SignedText): boolean {
  const state = text.shape.placeOf('trade_state');
  return text.shape.confused !== null || (state !== 'absent' && state !== 'certain');
}

/**
 * API v2 has no notification ID: type, number and result form one, or the digest if one of them is
 * missing. If another party's text may contain one of them, no cut may choose: all cuts get an ID
 * from the digest.
 */
export function identityOf(message: WechatpayV2Message): ContentIdentity {
  const digest = digestOf(message);
  if (message.kind !== 'refund' && isDoubtful(message)) {
    return { notificationId: `ambiguous-${digest}`, digest };
  }
  const [number, result] = numbersOf(message);
  const id = `${message.kind}-${number}-${result}`;
  const complete = number !== undefined && result !== undefined && id.length <= 128;
  return { notificationId: complete ? id : `${message.kind}-${digest}`, digest };
}

/** SHA-256 of the authenticated content, without parts that vary between sendings. */
function digestOf(message: WechatpayV2Message): string {
  if (message.kind !== 'refund') return sha256Hex(message.text.without(isOfSending));
  const content = [...message.refund]
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256Hex(JSON.stringify(['refund', content]));
}

/** Whether the names that identify the message are in doubt. */
function isDoubtful({ kind, text, doubtful }: SignedMessage): boolean {
  if (kind === 'payment') return doubtful === 'change_type' || hasDoubtfulResult(text);
  return text.countOf('change_type') > 1 || text.countOf('contract_id') > 1;
}

function numbersOf(message: WechatpayV2Message): [string | undefined, string | undefined] {
  switch (message.kind) {
    case 'payment':
      return [message.text.get('transaction_id'), paymentResult(message.text)];
    case 'contract':
      return [message.text.get('contract_id'), message.text.get('change_type')];
    case 'refund':
      return [
        filledField(message.refund, 'refund_id'),
        filledField(message.refund, 'refund_status'),
      ];
  }
}
