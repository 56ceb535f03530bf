import { decodeBase64, type RsaHash, rsaVerify, sha256Hex } from '../crypto.js';
import {
  type ContentIdentity,
  type ContentRule,
  type NotificationRequest,
  type Rejection,
  type RejectReason,
  type Verification,
  verifiedRequest,
} from '../provider.js';
import { isLive } from '../secret.js';
import { cutText, isWhole, SignedText } from '../signed-text.js';
import { type Form, parseForm } from './form.js';
import { formerIdentity, formerRejection, isNotifyId } from './former.js';
import type { AlipayKey } from './keys.js';
import type { Layouts } from './layout.js';
import { isOfSending, TRADE_NAMES, WHOLE_TRADE } from './names.js';
import type { AlipaySettings } from './settings.js';
import { signedTexts } from './signed-texts.js';
import { alipayTimeOf, bytesOf } from './text.js';

/** A verified notice. */
export interface AlipayMessage {
  /**
   * The fields as they arrived. Only `formerIdentityOf` reads them: the signature fits other cuts
   * as well.
   */
  readonly form: Form;
  /** The signed text; latin1, one character per byte, since it may be GBK. */
  readonly text: SignedText;
}

const HASHES: Readonly<Record<AlipaySettings['signType'], RsaHash>> = {
  RSA: 'sha1',
  RSA2: 'sha256',
};

/**
 * Proves that Alipay signed this notice (opendocs open/203/105286, "异步通知验签").
 * There is no freshness window: Alipay repeats a notice for 25 hours.
 */
export function verify(
  keys: readonly AlipayKey[],
  signType: AlipaySettings['signType'],
  layouts: Layouts,
  request: NotificationRequest,
  rule: ContentRule,
): Verification<AlipayMessage> {
  const form = parseForm(request.body, layouts);
  const sign = form?.get('sign');
  if (!form || sign === undefined) return { ok: false, reason: 'malformed' };
  const rejection = rule === 'former' ? formerRejection(form) : rejectionOf(form);
  if (rejection !== null) return { ok: false, reason: rejection };

  const hash = hashFor(claimedType(form, rule), signType);
  const signature = decodeBase64(sign);
  if (hash === null || signature === null) return { ok: false, reason: 'bad_signature' };
  const candidates = liveFirst(keys, request.receivedAt);
  const texts = signedTexts(form, rule === 'text' ? signType : null);
  const found = signedBy(texts, hash, signature, candidates);
  if (found === null) return { ok: false, reason: 'bad_signature' };
  const rejectSigned = (reason: RejectReason): Rejection => {
    return { ok: false, reason, signedDigest: sha256Hex(bytesOf(found.text)) };
  };
  if (!isLive(found.signer, request.receivedAt)) return rejectSigned('unknown_key');

  const text = found.isFirst ? textOfForm(form, found.text) : cut(found.text);
  const identity = rule === 'former' ? formerIdentity(form) : identityOf(text);
  if (typeof identity === 'string') return rejectSigned(identity);
  return {
    ok: true,
    request: verifiedRequest({ form, text }),
    ...identity,
    shardKey: text.get('out_trade_no') || identity.notificationId,
    authenticity: 'signed',
    // The time of this sending, not of the first one (opendocs open/203/105286).
    sentAt: alipayTimeOf(text.anchored('notify_time')),
  };
}

function cut(text: string): SignedText {
  return cutText(text, TRADE_NAMES);
}

/**
 * Like `cut`, which takes as long as decoding. If no value contains `&` or is empty, the pieces of
 * the first text are the fields that arrived. The shape of their names is cached.
 */
function textOfForm({ layout, values, isPlain }: Form, text: string): SignedText {
  if (!isPlain || values.includes('')) return cut(text);
  const signed = layout.signed.map(({ place }) => values[place] ?? '');
  return new SignedText(text, layout.shape(), signed);
}

/**
 * Refuses a form that no cut makes a notification, before the signature check, which takes longest.
 */
function rejectionOf(form: Form): 'not_a_notification' | null {
  const named = form.isFilled('notify_id') || form.values.some((value) => NOTIFY_ID.test(value));
  return named ? null : 'not_a_notification';
}

const NOTIFY_ID = /&notify_id=[^&]/;

/** A function of the signed text: all cuts of it have one ID and one digest. */
function identityOf(text: SignedText): ContentIdentity | 'not_a_notification' | 'malformed' {
  if (!isNotification(text)) return 'not_a_notification';
  const digest = sha256Hex(bytesOf(text.without(isOfSending)));
  const notificationId = text.get('notify_id');
  if (notificationId === undefined) return { notificationId: `ambiguous-${digest}`, digest };
  return isNotifyId(notificationId) ? { notificationId, digest } : 'malformed';
}

/**
 * The same key signs the parameters of `return_url`, which pass through the buyer's browser: they
 * have `method=alipay.….return`, and no `notify_id`. It also signs the JSON of the API's responses,
 * which a cut could hide in a first name. But the first field of a notice sorts before its other
 * names.
 */
function isNotification(text: SignedText): boolean {
  const named = text.countOf('notify_type') > 0 || text.countOf('msg_method') > 0;
  if (text.countOf('notify_id') === 0 || !named) return false;
  const [first = ''] = text.shape.names;
  if (TRADE_NAMES.always.some((name) => name < first && text.countOf(name) > 0)) return false;
  if (text.countOf('method') === 0) return true;
  const returns = new Set(returnMethods(text));
  return returns.size === 0 || isWhole(text, WHOLE_TRADE, (index) => returns.has(index));
}

/** The positions of `method=alipay.….return`. */
function returnMethods(text: SignedText): number[] {
  const values = text.valuesOf('method');
  return text.shape.piecesOf('method').filter((_, nth) => values[nth]?.endsWith('.return'));
}

/**
 * A trade notice does not sign `sign_type`: it may never choose something weaker than the channel
 * does.
 */
function hashFor(claimed: string, allowed: AlipaySettings['signType']): RsaHash | null {
  if (claimed === '') return HASHES[allowed];
  if (claimed === 'RSA2') return HASHES.RSA2;
  return claimed === 'RSA' && allowed === 'RSA' ? HASHES.RSA : null;
}

/**
 * In a text that contains `sign_type`, a cut may leave the next field in its value (`signedTexts`).
 */
function claimedType(form: Form, rule: ContentRule): string {
  const stated = form.get('sign_type') ?? '';
  const mayHoldMore = rule === 'text' && stated.includes('&');
  return mayHoldMore ? stated.replace(/^(RSA2?)&.*$/s, '$1') : stated;
}

/** One key may be listed twice: once retired and once as a new certificate. */
function liveFirst(keys: readonly AlipayKey[], receivedAt: Date): readonly AlipayKey[] {
  if (keys.every((key) => isLive(key, receivedAt))) return keys;
  return keys.toSorted((a, b) => Number(isLive(b, receivedAt)) - Number(isLive(a, receivedAt)));
}

/** A notice names no key (no `alipay_cert_sn` either), so each is tried, in the order given. */
function signedBy(
  texts: Iterable<string>,
  hash: RsaHash,
  signature: Buffer,
  keys: readonly AlipayKey[],
): { readonly signer: AlipayKey; readonly text: string; readonly isFirst: boolean } | null {
  let isFirst = true;
  for (const text of texts) {
    const bytes = bytesOf(text);
    const signer = keys.find(({ key }) => rsaVerify(hash, bytes, key, signature));
    if (signer) return { signer, text, isFirst };
    isFirst = false;
  }
  return null;
}

/** The previous release's identity of this message; null where it rejected it. */
export function formerIdentityOf({ form }: AlipayMessage): ContentIdentity | null {
  return formerRejection(form) === null ? formerIdentity(form) : null;
}
