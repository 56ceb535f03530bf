import { sha256Hex } from '../crypto.js';
import type { Fields } from './xml.js';

/** A verified message, in the provider's own names. */
export type WechatpayV2Message =
  /** A payment result, or the result of a deduction (委托代扣), which adds `trade_state` and `contract_id`. */
  | { readonly kind: 'payment'; readonly fields: Fields }
  /** A deduction contract was signed or ended. */
  | { readonly kind: 'contract'; readonly fields: Fields }
  /** `fields` is the envelope, which nothing authenticates; `refund` is the opened `req_info`. */
  | { readonly kind: 'refund'; readonly fields: Fields; readonly refund: Fields };

/** An empty element says as much as an absent one (and is not signed either). */
export function textOf(fields: Fields, name: string): string | undefined {
  return fields.get(name) || undefined;
}

export function hasAll(fields: Fields, ...names: string[]): boolean {
  return names.every((name) => textOf(fields, name) !== undefined);
}

/**
 * The first word that is not SUCCESS, in the order in which the levels depend on one another:
 * communication, business, and for deductions the trade. Undefined when a level is missing.
 */
export function resultOf(fields: Fields): string | undefined {
  const levels = [textOf(fields, 'return_code'), textOf(fields, 'result_code')];
  if (hasAll(fields, 'trade_state')) levels.push(textOf(fields, 'trade_state'));
  for (const word of levels) if (word !== 'SUCCESS') return word;
  return 'SUCCESS';
}

/** Differs from sending to sending, or is covered by what it wraps. */
const NOT_CONTENT: ReadonlySet<string> = new Set(['sign', 'nonce_str', 'req_info']);

/** SHA-256 of the business content; neither the order of fields nor an empty one matters. */
export function digestOf(message: WechatpayV2Message): string {
  const content = [message.fields, ...(message.kind === 'refund' ? [message.refund] : [])].map(
    (fields) =>
      [...fields]
        .filter(([name, value]) => !NOT_CONTENT.has(name) && value !== '')
        .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return sha256Hex(JSON.stringify([message.kind, ...content]));
}

/** API v2 has no notification ID: type, number and result make one; the digest where one of them is missing. */
export function notificationIdOf(message: WechatpayV2Message, digest: string): string {
  const [number, result] = identity(message);
  const id = `${message.kind}-${number}-${result}`;
  const complete = number !== undefined && result !== undefined && id.length <= 128;
  return complete ? id : `${message.kind}-${digest}`;
}

function identity(message: WechatpayV2Message): [string | undefined, string | undefined] {
  switch (message.kind) {
    case 'payment':
      return [textOf(message.fields, 'transaction_id'), resultOf(message.fields)];
    case 'contract':
      return [textOf(message.fields, 'contract_id'), textOf(message.fields, 'change_type')];
    case 'refund':
      return [textOf(message.refund, 'refund_id'), textOf(message.refund, 'refund_status')];
  }
}
