import { decodeBase64, md5Hex, openAesEcb, sha256Hex } from '../crypto.js';
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
import { cutText } from '../signed-text.js';
import { formerIdentityOf, formerKindOf } from './former.js';
import type { ApiKey } from './keys.js';
import { filledField, hasAll, identityOf, readSigned, type WechatpayV2Message } from './message.js';
import { SIGNED_NAMES } from './names.js';
import { isForeignEnvelope, type Payee } from './payee.js';
import { isSignature, type SignType, textToSign } from './sign.js';
import { type Fields, parseFlatXml } from './xml.js';

export interface VerifyingKeys {
  readonly signType: SignType;
  readonly apiKeys: readonly ApiKey[];
}

/** Pure and total: hostile bytes give a rejection. */
export function verify(
  keys: VerifyingKeys,
  payee: Payee,
  request: NotificationRequest,
  rule: ContentRule,
): Verification<WechatpayV2Message> {
  const fields = parseFlatXml(request.body, 'xml');
  if (fields === null) return reject('malformed');
  if (hasAll(fields, 'sign')) {
    return verifySigned(keys, fields, request.receivedAt, rule);
  }
  if (hasAll(fields, 'req_info')) {
    return openRefund(keys, payee, fields, request.receivedAt, rule);
  }
  // An unsigned message is never acted on; `return_code` FAIL comes without a signature.
  return reject(hasAll(fields, 'return_code') ? 'bad_signature' : 'malformed');
}

function verifySigned(
  keys: VerifyingKeys,
  fields: Fields,
  receivedAt: Date,
  rule: ContentRule,
): Verification<WechatpayV2Message> {
  const stated = filledField(fields, 'sign_type');
  if (stated !== undefined && stated !== keys.signType) return reject('bad_signature');
  const [sign, signed] = [filledField(fields, 'sign') ?? '', textToSign(fields)];
  const signers = keys.apiKeys.filter((key) => isSignature(sign, signed, keys.signType, key.text));
  if (signers.length === 0) return reject('bad_signature');
  const withDigest = (rejection: Rejection) => {
    return { ...rejection, signedDigest: sha256Hex(signed) };
  };
  if (!signers.some((key) => isLive(key, receivedAt))) return withDigest(reject('unknown_key'));
  // The same key signs requests, responses of the API and data in the buyer's browser.
  const message = rule === 'former' ? readFormer(fields, signed) : readSigned(fields, signed);
  const verification =
    message === null ? reject('not_a_notification') : accept(message, 'signed', rule);
  return verification.ok ? verification : withDigest(verification);
}

/**
 * Reads a message that the previous release accepted. If the present rule rejects its cut, it stays
 * in doubt.
 */
function readFormer(fields: Fields, signed: string): WechatpayV2Message | null {
  const kind = formerKindOf(fields);
  if (kind === null) return null;
  const text = cutText(signed, SIGNED_NAMES);
  return readSigned(fields, signed) ?? { kind, fields, text, doubtful: 'return_code' };
}

/**
 * Refund notices carry no signature. Only the key's owner could encrypt them: AES-256-ECB with the
 * key's MD5 as 32 lower-case hex digits (pay.weixin.qq.com/doc/v2/partner/4011989265). ECB without
 * a MAC can be cut and replayed, hence `encrypted`. All faults inside give one reason, so that
 * wrong padding, broken XML and missing fields look the same.
 */
function openRefund(
  keys: VerifyingKeys,
  payee: Payee,
  fields: Fields,
  receivedAt: Date,
  rule: ContentRule,
): Verification<WechatpayV2Message> {
  if (!hasAll(fields, 'return_code', 'mch_id')) return reject('malformed');
  if (filledField(fields, 'return_code') !== 'SUCCESS') return reject('not_a_notification');
  const sealed = decodeBase64(filledField(fields, 'req_info') ?? '');
  if (sealed === null) return reject('undecryptable');
  const opened = keys.apiKeys.flatMap((key) => {
    const refund = readRefund(key, sealed);
    return refund === null ? [] : [{ key, refund }];
  });
  if (opened.length === 0) return reject('undecryptable');
  const live = opened.find(({ key }) => isLive(key, receivedAt));
  if (live === undefined) return reject('unknown_key');
  // Anyone can write another envelope. A message that the previous release accepted keeps its
  // envelope, and is held.
  if (rule === 'text' && isForeignEnvelope(payee, fields)) return reject('foreign_envelope');
  return accept({ kind: 'refund', fields, refund: live.refund }, 'encrypted', rule);
}

function readRefund(key: ApiKey, sealed: Buffer): Fields | null {
  const plain = openAesEcb(Buffer.from(md5Hex(key.text), 'ascii'), sealed);
  const refund = plain === null ? null : parseFlatXml(plain, 'root');
  if (refund === null) return null;
  return hasAll(refund, 'refund_id', 'transaction_id', 'out_trade_no') ? refund : null;
}

function accept(
  message: WechatpayV2Message,
  authenticity: 'signed' | 'encrypted',
  rule: ContentRule,
): Verification<WechatpayV2Message> {
  const identity: ContentIdentity | null =
    rule === 'former' ? formerIdentityOf(message) : identityOf(message);
  if (identity === null) return reject('not_a_notification');
  const orderNumber =
    message.kind === 'refund'
      ? filledField(message.refund, 'out_trade_no')
      : message.text.get('out_trade_no');
  return {
    ok: true,
    request: verifiedRequest(message),
    ...identity,
    shardKey: orderNumber ?? identity.notificationId,
    authenticity,
    // `time_end` is the time of payment; the protocol does not state when this copy was sent.
    sentAt: null,
  };
}

function reject(reason: RejectReason): Rejection {
  return { ok: false, reason };
}
