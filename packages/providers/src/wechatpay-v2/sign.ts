import { equalTexts, hmacSha256Hex, md5Hex } from '../crypto.js';
import type { Fields } from './xml.js';

export type SignType = 'HMAC-SHA256' | 'MD5';

/**
 * The text that API v2 signs: the non-empty fields without `sign`, sorted by name, values as sent.
 * Unknown fields and `sign_type` are included (pay.weixin.qq.com, 安全规范, 签名算法).
 */
export function textToSign(fields: Fields): string {
  return [...fields]
    .filter(([name, value]) => name !== 'sign' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1)) // names are ASCII and never twice
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Upper-case hex. */
export function signatureOf(fields: Fields, signType: SignType, key: string): string {
  return signatureOfText(textToSign(fields), signType, key);
}

function signatureOfText(signed: string, signType: SignType, key: string): string {
  const text = `${signed}&key=${key}`;
  const hex = signType === 'MD5' ? md5Hex(text) : hmacSha256Hex(key, text);
  return hex.toUpperCase();
}

export function isSignedBy(fields: Fields, signType: SignType, key: string): boolean {
  return isSignature(fields.get('sign') ?? '', textToSign(fields), signType, key);
}

/** @param signed the result of `textToSign` */
export function isSignature(
  sign: string,
  signed: string,
  signType: SignType,
  key: string,
): boolean {
  return equalTexts(signatureOfText(signed, signType, key), sign);
}

/**
 * The signed text does not show where a value ends: `a=1&b=2` is one field or two. The same key
 * signs addresses that the buyer's browser opens (委托代扣, `papay/entrustweb`), with a name chosen by
 * the buyer (`contract_display_account`). A name such as `x&out_trade_no=…&total_fee=…&z=`, cut
 * differently, makes a payment with a genuine signature. Because names are sorted, the invented
 * fields must swallow the ones that really followed: `mch_id`, and next to it `nonce_str` or
 * `notify_url`. The previous release rejected such cuts; `readSigned` rejects the signed text that
 * has them.
 */
export function swallowsFields(fields: Fields): boolean {
  return [...fields.values()].some((value) => {
    const at = value.indexOf('&mch_id=');
    return at >= 0 && /&(?:nonce_str|notify_url)=/.test(value.slice(at));
  });
}
