import { sha256Hex } from '../crypto.js';
import type { ContentIdentity } from '../provider.js';
import type { Form } from './form.js';
import { bytesOf } from './text.js';

/**
 * The previous release's identity of a notice: by the fields that arrived, not by the signed text.
 */

const CHANGES_FROM_SENDING_TO_SENDING = new Set([
  'sign',
  'sign_type',
  'notify_time',
  'utc_timestamp',
]);

/** Why the previous release rejected the fields; null where it accepted them. */
export function formerRejection(form: Form): 'not_a_notification' | 'malformed' | null {
  const named = form.isFilled('notify_type') || form.isFilled('msg_method');
  const returned = (form.get('method') ?? '').endsWith('.return');
  if (!form.isFilled('notify_id') || !named || returned) return 'not_a_notification';
  return isNotifyId(form.get('notify_id') ?? '') ? null : 'malformed';
}

export function isNotifyId(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

export function formerIdentity(form: Form): ContentIdentity {
  return { notificationId: form.get('notify_id') ?? '', digest: formerDigest(form) };
}

/**
 * The digest covers the content, with lengths, so that no two forms share a text. Empty fields are
 * left out.
 */
function formerDigest({ layout, values }: Form): string {
  let text = '';
  for (const { name, place } of layout.sorted) {
    const value = values[place] ?? '';
    if (value === '' || CHANGES_FROM_SENDING_TO_SENDING.has(name)) continue;
    text += `${name.length}:${value.length}:${name}${value}`;
  }
  return sha256Hex(bytesOf(text));
}
