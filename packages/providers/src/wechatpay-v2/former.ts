import { sha256Hex } from '../crypto.js';
import type { ContentIdentity } from '../provider.js';
import { filledField, hasAll, resultOf, type WechatpayV2Message } from './message.js';
import { swallowsFields } from './sign.js';
import type { Fields } from './xml.js';

/**
 * The previous release's reading and naming of messages: by the fields that arrived, including a
 * refund's envelope.
 */

/** Null for a message that the previous release rejected as no notification. */
export function formerKindOf(fields: Fields): 'payment' | 'contract' | null {
  if (swallowsFields(fields) || !hasAll(fields, 'return_code', 'mch_id')) return null;
  if (hasAll(fields, 'change_type')) {
    return hasAll(fields, 'contract_id') || hasAll(fields, 'contract_code') ? 'contract' : null;
  }
  const demanded =
    resultOf(fields) === 'SUCCESS' ? ['out_trade_no', 'transaction_id'] : ['out_trade_no'];
  return hasAll(fields, ...demanded) ? 'payment' : null;
}

/** Null where the previous release rejected the message. */
export function formerIdentityOf(message: WechatpayV2Message): ContentIdentity | null {
  const { fields } = message;
  const kind = message.kind === 'refund' ? 'refund' : formerKindOf(fields);
  if (kind === null) return null;
  const business = message.kind === 'refund' ? message.refund : fields;
  const contents = message.kind === 'refund' ? [fields, message.refund] : [fields];
  const digest = sha256Hex(JSON.stringify([kind, ...contents.map(contentOf)]));
  const [number, result] = formerNumbers(kind, business);
  const id = `${kind}-${number}-${result}`;
  const complete = number !== undefined && result !== undefined && id.length <= 128;
  return { notificationId: complete ? id : `${kind}-${digest}`, digest };
}

/** Varies between sendings, or is covered by the content that it wraps. */
const NOT_CONTENT: ReadonlySet<string> = new Set(['sign', 'nonce_str', 'req_info']);

function contentOf(fields: Fields): [name: string, value: string][] {
  return [...fields]
    .filter(([name, value]) => !NOT_CONTENT.has(name) && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function formerNumbers(
  kind: 'payment' | 'contract' | 'refund',
  fields: Fields,
): [string | undefined, string | undefined] {
  switch (kind) {
    case 'payment':
      return [filledField(fields, 'transaction_id'), resultOf(fields)];
    case 'contract':
      return [filledField(fields, 'contract_id'), filledField(fields, 'change_type')];
    case 'refund':
      return [filledField(fields, 'refund_id'), filledField(fields, 'refund_status')];
  }
}
