import { decodeBase64, type RsaHash, rsaVerify, sha256Hex } from '../crypto.js';
import { type NotificationRequest, type Verification, verifiedRequest } from '../provider.js';
import { isLive } from '../secret.js';
import { type Form, parseForm } from './form.js';
import type { Layouts } from './layout.js';
import type { AlipayKey, AlipaySettings } from './settings.js';
import { beijingTimeOf } from './text.js';

/** A verified notice: the fields as bytes; `charset` says how to read them. */
export interface AlipayMessage {
  readonly form: Form;
}

const HASHES: Readonly<Record<AlipaySettings['signType'], RsaHash>> = {
  RSA: 'sha1',
  RSA2: 'sha256',
};

/**
 * Proves that Alipay signed this notice (opendocs open/203/105286, "异步通知验签").
 * There is no freshness window: Alipay repeats a notice for 25 hours.
 */
export function verifyAlipay(
  keys: readonly AlipayKey[],
  signType: AlipaySettings['signType'],
  layouts: Layouts,
  request: NotificationRequest,
): Verification<AlipayMessage> {
  const form = parseForm(request.body, layouts);
  const sign = form?.get('sign');
  if (!form || sign === undefined) return { ok: false, reason: 'malformed' };
  if (!isNotification(form)) return { ok: false, reason: 'not_a_notification' };
  const notificationId = ascii(form, 'notify_id');
  if (!/^[\x21-\x7e]{1,128}$/.test(notificationId)) return { ok: false, reason: 'malformed' };

  const hash = hashFor(ascii(form, 'sign_type'), signType);
  const signature = decodeBase64(sign);
  if (hash === null || signature === null) return { ok: false, reason: 'bad_signature' };
  const candidates = liveFirst(keys, request.receivedAt);
  const signer = signerOf(signedTexts(form), hash, signature, candidates);
  if (signer === null) return { ok: false, reason: 'bad_signature' };
  if (!isLive(signer, request.receivedAt)) return { ok: false, reason: 'unknown_key' };
  return {
    ok: true,
    request: verifiedRequest({ form }),
    notificationId,
    shardKey: ascii(form, 'out_trade_no') || notificationId,
    digest: digestOf(form),
    authenticity: 'signed',
    // The time of this sending, not of the first one (opendocs open/203/105286).
    sentAt: beijingTimeOf(form, 'notify_time'),
  };
}

/**
 * The same key signs the parameters of `return_url`, which pass through the buyer's browser: they have
 * `method=alipay.….return`, and no `notify_id`.
 */
function isNotification(form: Form): boolean {
  const named = ascii(form, 'notify_type') !== '' || ascii(form, 'msg_method') !== '';
  return ascii(form, 'notify_id') !== '' && named && !ascii(form, 'method').endsWith('.return');
}

/** `sign_type` is not signed in a trade notice: it may never choose something weaker than the channel does. */
function hashFor(claimed: string, allowed: AlipaySettings['signType']): RsaHash | null {
  if (claimed === '') return HASHES[allowed];
  if (claimed === 'RSA2') return HASHES.RSA2;
  return claimed === 'RSA' && allowed === 'RSA' ? HASHES.RSA : null;
}

/** One key may be listed twice, retired here and as a new certificate there. */
function liveFirst(keys: readonly AlipayKey[], receivedAt: Date): readonly AlipayKey[] {
  if (keys.every((key) => isLive(key, receivedAt))) return keys;
  return keys.toSorted((a, b) => Number(isLive(b, receivedAt)) - Number(isLive(a, receivedAt)));
}

/** A notice names no key (no `alipay_cert_sn` either), so each is tried, in the order given. */
function signerOf(
  texts: Iterable<string>,
  hash: RsaHash,
  signature: Buffer,
  keys: readonly AlipayKey[],
): AlipayKey | null {
  for (const text of texts) {
    const bytes = bytesOf(text);
    const signer = keys.find(({ key }) => rsaVerify(hash, bytes, key, signature));
    if (signer) return signer;
  }
  return null;
}

/**
 * What may have been signed, the likeliest first. Trade notices leave `sign_type` out (`rsaCheckV1`),
 * service notices sign it (`rsaCheckV2`). Empty values are signed (Alipay's EasySDK); the SDKs disagree, and
 * an empty value says nothing (`isFilled`), so a second try without them gives nothing away.
 */
function* signedTexts(form: Form): Generator<string> {
  const hasType = form.get('sign_type') !== undefined;
  yield signedText(form, false, true);
  if (hasType) yield signedText(form, true, true);
  if (!form.values.includes('')) return;
  yield signedText(form, false, false);
  if (hasType) yield signedText(form, true, false);
}

function signedText(
  { layout, values }: Form,
  typeIsSigned: boolean,
  emptyIsSigned: boolean,
): string {
  let text = '';
  for (const { name, place, head } of layout.sorted) {
    if (name === 'sign' || (name === 'sign_type' && !typeIsSigned)) continue;
    const value = values[place] ?? '';
    if (value === '' && !emptyIsSigned) continue;
    text += text === '' ? head.slice(1) : head;
    text += value;
  }
  return text;
}

/** Over what was said, with lengths, so that no two forms share a text; an empty field says nothing. */
function digestOf({ layout, values }: Form): string {
  let text = '';
  for (const { place, told } of layout.sorted) {
    const value = values[place] ?? '';
    if (value === '' || told === null) continue;
    text += told.before + value.length + told.after;
    text += value;
  }
  return sha256Hex(bytesOf(text));
}

/** Notices have 1 to 2 KiB. Written over by the next text: a Buffer for each costs as much as filling it. */
const ROOM = Buffer.allocUnsafeSlow(8 * 1024);

/** The bytes of a latin1 text, good until the next call. */
function bytesOf(text: string): Buffer {
  if (text.length > ROOM.length) return Buffer.from(text, 'latin1');
  return ROOM.subarray(0, ROOM.write(text, 'latin1'));
}

function ascii(form: Form, name: string): string {
  return form.get(name) ?? '';
}
