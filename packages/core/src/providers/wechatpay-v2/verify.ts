import { decodeBase64, md5Hex, openAesEcb } from '../crypto.js';
import {
  type NotificationRequest,
  type RejectReason,
  type Verification,
  verifiedRequest,
} from '../provider.js';
import { isLive } from '../secret.js';
import {
  digestOf,
  hasAll,
  notificationIdOf,
  resultOf,
  textOf,
  type WechatpayV2Message,
} from './message.js';
import type { ApiKey } from './settings.js';
import { isSignedBy, type SignType, swallowsFields } from './sign.js';
import { type Fields, parseFlatXml } from './xml.js';

export interface VerifyingKeys {
  readonly signType: SignType;
  readonly apiKeys: readonly ApiKey[];
}

type Refusal = { readonly ok: false; readonly reason: RejectReason };

/** Pure and total: hostile bytes give a refusal. */
export function verify(
  keys: VerifyingKeys,
  request: NotificationRequest,
): Verification<WechatpayV2Message> {
  const fields = parseFlatXml(request.body, 'xml');
  if (fields === null) return refuse('malformed');
  if (hasAll(fields, 'sign')) return verifySigned(keys, fields, request.receivedAt);
  if (hasAll(fields, 'req_info')) return openRefund(keys, fields, request.receivedAt);
  // What nobody signed is never acted on; `return_code` FAIL comes without a signature.
  return refuse(hasAll(fields, 'return_code') ? 'bad_signature' : 'malformed');
}

function verifySigned(
  keys: VerifyingKeys,
  fields: Fields,
  receivedAt: Date,
): Verification<WechatpayV2Message> {
  const stated = textOf(fields, 'sign_type');
  if (stated !== undefined && stated !== keys.signType) return refuse('bad_signature');
  const signers = keys.apiKeys.filter((key) => isSignedBy(fields, keys.signType, key.text));
  if (signers.length === 0) return refuse('bad_signature');
  if (!signers.some((key) => isLive(key, receivedAt))) return refuse('unknown_key');
  const kind = kindOfSigned(fields);
  if (kind === null || swallowsFields(fields)) return refuse('not_a_notification');
  return accept({ kind, fields }, 'signed');
}

/**
 * The same key signs requests, answers of the API and what a buyer's browser carries; a notification
 * is known by what it must have. Only a failure may lack `transaction_id`.
 */
function kindOfSigned(fields: Fields): 'payment' | 'contract' | null {
  if (!hasAll(fields, 'return_code', 'mch_id')) return null;
  if (hasAll(fields, 'change_type')) {
    return hasAll(fields, 'contract_id') || hasAll(fields, 'contract_code') ? 'contract' : null;
  }
  const demanded =
    resultOf(fields) === 'SUCCESS' ? ['out_trade_no', 'transaction_id'] : ['out_trade_no'];
  return hasAll(fields, ...demanded) ? 'payment' : null;
}

/**
 * Refund notices carry no signature, only what the key's owner could encrypt: AES-256-ECB with the
 * key's MD5 as 32 lower-case hex digits (pay.weixin.qq.com/doc/v2/partner/4011989265). ECB without a
 * MAC can be cut and replayed, hence `encrypted`, and ONE reason for whatever is wrong inside, so that
 * wrong padding, broken XML and missing fields cannot be told apart.
 */
function openRefund(
  keys: VerifyingKeys,
  fields: Fields,
  receivedAt: Date,
): Verification<WechatpayV2Message> {
  if (!hasAll(fields, 'return_code', 'mch_id')) return refuse('malformed');
  if (textOf(fields, 'return_code') !== 'SUCCESS') return refuse('not_a_notification');
  const sealed = decodeBase64(textOf(fields, 'req_info') ?? '');
  if (sealed === null) return refuse('undecryptable');
  const opened = keys.apiKeys.flatMap((key) => {
    const refund = readRefund(key, sealed);
    return refund === null ? [] : [{ key, refund }];
  });
  if (opened.length === 0) return refuse('undecryptable');
  const live = opened.find(({ key }) => isLive(key, receivedAt));
  if (live === undefined) return refuse('unknown_key');
  return accept({ kind: 'refund', fields, refund: live.refund }, 'encrypted');
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
): Verification<WechatpayV2Message> {
  const digest = digestOf(message);
  const notificationId = notificationIdOf(message, digest);
  const business = message.kind === 'refund' ? message.refund : message.fields;
  return {
    ok: true,
    request: verifiedRequest(message),
    notificationId,
    shardKey: textOf(business, 'out_trade_no') ?? notificationId,
    digest,
    authenticity,
    // `time_end` is when the buyer paid; nothing tells when this copy was sent.
    sentAt: null,
  };
}

function refuse(reason: RejectReason): Refusal {
  return { ok: false, reason };
}
