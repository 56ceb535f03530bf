import type { NotificationRequest } from '../provider.js';

/** Lower-case. All headers that verification needs besides the body. */
export const signatureHeaders = [
  'wechatpay-timestamp',
  'wechatpay-nonce',
  'wechatpay-signature',
  'wechatpay-serial',
] as const;

/**
 * Not part of the signed text: another value is rejected, and this one means the same as absence.
 */
export const gatewayOnlyHeaders = ['wechatpay-signature-type'] as const;

/**
 * The meaning of an absent type; the brand APIs and the SM2 gateways sign differently
 * (docs/providers/wechatpay.md, "Signature").
 */
const SIGNATURE_TYPE = 'WECHATPAY2-SHA256-RSA2048';

/**
 * Visible ASCII without the comma. Node joins a repeated header with ", ", and two values are
 * rejected rather than chosen between. No line break either: the signed text is
 * `ts\nnonce\nbody\n`, and a nonce with a line break could shift the boundaries of a genuine
 * message.
 */
const HEADER_VALUE = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Unix seconds; twelve digits last for 30,000 years and stay exact in a double. */
const TIMESTAMP = /^\d{1,12}$/;

export interface SignatureHeaders {
  /** Exactly as sent: part of the signed text. */
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature: string;
  readonly serial: string;
}

/** Null when one is missing, empty or repeated, the time is no integer, or the type is another. */
export function readHeaders(headers: NotificationRequest['headers']): SignatureHeaders | null {
  const type = headers['wechatpay-signature-type'];
  if (type !== undefined && type !== SIGNATURE_TYPE) return null;
  const timestamp = headers['wechatpay-timestamp'];
  const nonce = single(headers['wechatpay-nonce']);
  const serial = single(headers['wechatpay-serial']);
  // Verification checks the base64: an invalid one is a bad signature, or a probe.
  const signature = headers['wechatpay-signature'];
  if (timestamp === undefined || !TIMESTAMP.test(timestamp)) return null;
  if (nonce === null || serial === null) return null;
  if (signature === undefined || signature === '' || signature.includes(',')) return null;
  return { timestamp, nonce, signature, serial };
}

function single(value: string | undefined): string | null {
  return value !== undefined && HEADER_VALUE.test(value) ? value : null;
}
