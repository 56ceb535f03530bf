import { sha256Hex } from '../crypto.js';
import type { ContentIdentity } from '../provider.js';
import { isWhole, SignedText } from '../signed-text.js';
import { FOREIGN_NAMES, isOfSending, SIGNED_NAMES, WHOLE_PAYMENT } from './names.js';
import type { Fields } from './xml.js';

/** A verified message, in the provider's own names. */
export type WechatpayV2Message = SignedMessage | RefundMessage;

export interface SignedMessage {
  /**
   * - `payment`: a payment result, or the result of a deduction (委托代扣), which adds `trade_state` and `contract_id`
   * - `contract`: a deduction contract was signed or ended
   */
  readonly kind: 'payment' | 'contract';
  /** As they arrived: the signature fits other cuts as well. */
  readonly fields: Fields;
  readonly text: SignedText;
  /** The name that makes the kind or the whole message doubtful; null where none does. */
  readonly doubtful: string | null;
}

export interface RefundMessage {
  readonly kind: 'refund';
  /** The envelope, which nothing authenticates. */
  readonly fields: Fields;
  /** The opened `req_info`. */
  readonly refund: Fields;
}

/** An empty element says as much as an absent one (and is not signed either). */
export function textOf(fields: Fields, name: string): string | undefined {
  return fields.get(name) || undefined;
}

export function hasAll(fields: Fields, ...names: string[]): boolean {
  return names.every((name) => textOf(fields, name) !== undefined);
}

/** A single value of each name; undefined for one that is absent. */
interface Values {
  get(name: string): string | undefined;
}

/**
 * The first word that is not SUCCESS, in the order in which the levels depend on one another:
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
 * What was signed, by its signed text: a notification is known by what it must have, and by the absence of what
 * only other messages carry. Only a failure may lack `transaction_id`.
 * @returns null for what is no notification, whatever somebody's text in it says
 */
export function readSigned(fields: Fields, signed: string): SignedMessage | null {
  const text = new SignedText(signed, SIGNED_NAMES);
  const has = (name: string) => text.countOf(name) > 0;
  if (!has('return_code') || !has('mch_id')) return null;
  const foreign = text.names.find((name) => FOREIGN_NAMES.has(name)) ?? null;
  if (foreign !== null || isScanned(text)) {
    const isForeign = (index: number) => FOREIGN_NAMES.has(text.names[index] ?? '');
    const whole = !isScanned(text) && isWhole(text, WHOLE_PAYMENT, isForeign);
    return whole ? { kind: 'payment', fields, text, doubtful: foreign } : null;
  }
  if (has('change_type')) {
    if (!has('contract_id') && !has('contract_code')) return null;
    const two = has('transaction_id') || has('out_trade_no');
    return { kind: 'contract', fields, text, doubtful: two ? 'change_type' : null };
  }
  const demanded = paymentResult(text) === 'SUCCESS';
  if (!has('out_trade_no') || (demanded && !has('transaction_id'))) return null;
  return { kind: 'payment', fields, text, doubtful: null };
}

/** The answer to a code that the shop scanned reads like a payment result; WeChat notifies of none. */
function isScanned(text: SignedText): boolean {
  return text.anchored('trade_type') === 'MICROPAY';
}

/** As `resultOf`, by certain words alone. */
export function paymentResult(text: SignedText): string | undefined {
  return hasDoubtfulResult(text) ? undefined : resultOf(text);
}

function hasDoubtfulResult(text: SignedText): boolean {
  const state = text.placeOf('trade_state');
  return text.confused() !== null || (state !== 'absent' && state !== 'certain');
}

/**
 * API v2 has no notification ID: type, number and result make one; the digest where one of them is missing. Where
 * somebody's text may hold one of them, no cut is to choose: the digest makes the name of all.
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

/** SHA-256 of what is authenticated, without what changes from sending to sending. */
function digestOf(message: WechatpayV2Message): string {
  if (message.kind !== 'refund') return sha256Hex(message.text.without(isOfSending));
  const content = [...message.refund]
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256Hex(JSON.stringify(['refund', content]));
}

/** Whether the names that identify the message are in doubt. */
function isDoubtful({ kind, text, doubtful }: SignedMessage): boolean {
  if (kind === 'contract') {
    const names = ['change_type', 'contract_id', 'contract_code'];
    return doubtful !== null || names.some((name) => text.countOf(name) > 1);
  }
  return hasDoubtfulResult(text);
}

function numbersOf(message: WechatpayV2Message): [string | undefined, string | undefined] {
  switch (message.kind) {
    case 'payment':
      return [message.text.get('transaction_id'), paymentResult(message.text)];
    case 'contract':
      return [message.text.get('contract_id'), message.text.get('change_type')];
    case 'refund':
      return [textOf(message.refund, 'refund_id'), textOf(message.refund, 'refund_status')];
  }
}
