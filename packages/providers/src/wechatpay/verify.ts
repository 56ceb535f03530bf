import { decodeBase64, openAesGcm, rsaVerify, sha256Hex } from '../crypto.js';
import {
  type NotificationRequest,
  type Rejection,
  type RejectReason,
  type Verification,
  verifiedRequest,
} from '../provider.js';
import { isLive } from '../secret.js';
import { readHeaders, type SignatureHeaders } from './headers.js';
import { isObject, type JsonObject, parseJsonObject } from './json.js';
import type { ContentKey, WechatpayKeys } from './keys.js';

/** A notification of proved origin, with its opened resource. */
export interface WechatpayMessage {
  readonly eventType: string;
  /** Null when the opened resource is not one JSON object: genuine, but unreadable. */
  readonly resource: JsonObject | null;
}

/**
 * WeChat sends wrong signatures on purpose, to check that merchants verify
 * (docs/providers/wechatpay.md, "Signature probes"). They are verified like any other and fail;
 * only the counter differs.
 */
const PROBE_PREFIX = 'WECHATPAY/SIGNTEST/';

const ALGORITHM = 'AEAD_AES_256_GCM';

/**
 * Limits of the ID and the event type, which are stored and logged; WeChat sends 36 and about 30
 * characters.
 */
const LABEL = /^[\x20-\x7e]{1,128}$/;

/**
 * Whether this is a genuine, fresh notification of WeChat Pay to this channel. Pure and total.
 * Nothing of the body is parsed before its signature is verified (docs/providers/wechatpay.md,
 * "Signature").
 */
export function verify(
  keys: WechatpayKeys,
  toleranceSeconds: number,
  request: NotificationRequest,
): Verification<WechatpayMessage> {
  const headers = readHeaders(request.headers);
  if (headers === null) return reject('malformed');

  const sentAt = new Date(Number(headers.timestamp) * 1000);
  const skewMs = Math.abs(request.receivedAt.getTime() - sentAt.getTime());
  if (!(skewMs <= toleranceSeconds * 1000)) return reject('stale');

  const signingKey = keys.signing.get(headers.serial.toUpperCase());
  if (signingKey === undefined || !isLive(signingKey, request.receivedAt)) {
    return reject('unknown_key');
  }
  const signature = decodeBase64(headers.signature);
  const signed = signedText(headers, request.body);
  if (signature === null || !rsaVerify('sha256', signed, signingKey.key, signature)) {
    return reject(headers.signature.startsWith(PROBE_PREFIX) ? 'signature_probe' : 'bad_signature');
  }

  const rejectSigned = (reason: RejectReason) => reject(reason, sha256Hex(signed));
  const body = parseJsonObject(request.body);
  if (body === null) return rejectSigned('malformed');
  const { id, event_type: eventType, resource } = body;
  // These fields make a signed message a notification: API responses are signed with the same keys.
  if (!isLabel(id) || !isLabel(eventType) || !isObject(resource)) {
    return rejectSigned('not_a_notification');
  }

  const contentKeys = keys.content.filter((key) => isLive(key, request.receivedAt));
  const content = open(resource, contentKeys);
  if (content === null) return rejectSigned('undecryptable');
  const opened = parseJsonObject(content);
  return {
    ok: true,
    request: verifiedRequest({ eventType, resource: opened }),
    notificationId: id,
    shardKey: orderNumberOf(opened) ?? id,
    // The envelope's nonce and ciphertext may differ in a re-send. JSON marks where the type ends.
    digest: sha256Hex(JSON.stringify(eventType), content),
    authenticity: 'signed',
    sentAt,
  };
}

/** For a combined payment the number of the whole, since its orders must go to one place. */
function orderNumberOf(resource: JsonObject | null): string | null {
  const number = resource?.out_trade_no ?? resource?.combine_out_trade_no;
  return typeof number === 'string' && number !== '' ? number : null;
}

/** `timestamp\nnonce\nRAW BODY\n`; WeChat's JSON is not canonical, so the bytes stay unchanged. */
function signedText({ timestamp, nonce }: SignatureHeaders, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
}

function isLabel(value: unknown): value is string {
  return typeof value === 'string' && LABEL.test(value);
}

/** Null when it is not sealed correctly, or with another key. */
function open(resource: JsonObject, keys: readonly ContentKey[]): Buffer | null {
  const { algorithm, ciphertext } = resource;
  const nonceText = resource.nonce;
  // Optional, or null.
  const associatedText = resource.associated_data ?? '';
  if (algorithm !== ALGORITHM || typeof ciphertext !== 'string') return null;
  if (typeof nonceText !== 'string' || typeof associatedText !== 'string') return null;
  const sealed = decodeBase64(ciphertext);
  if (sealed === null) return null;
  const nonce = Buffer.from(nonceText, 'utf8');
  const associatedData = Buffer.from(associatedText, 'utf8');
  for (const { key } of keys) {
    const content = openAesGcm(key, nonce, associatedData, sealed);
    if (content !== null) return content;
  }
  return null;
}

function reject(reason: RejectReason, signedDigest?: string): Rejection {
  return { ok: false, reason, ...(signedDigest && { signedDigest }) };
}
