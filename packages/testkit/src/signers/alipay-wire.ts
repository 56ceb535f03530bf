import { type KeyObject, sign } from 'node:crypto';
import iconv from 'iconv-lite';
import { type Fields, type SignedRequest, withoutFields } from './request.js';

/** Alipay's form and signature for any fields: the basis of the signer, and for hostile tests. */

export type AlipaySignType = 'RSA2' | 'RSA';
/** Names as Alipay writes them; GBK is encoded as GB18030's two-byte part, which is equal. */
export type AlipayCharset = 'utf-8' | 'UTF-8' | 'GBK' | 'gbk' | 'GB2312' | 'GB18030';

export interface AlipaySigning {
  readonly privateKey: KeyObject;
  /** RSA2 = SHA256withRSA (default), RSA = SHA1withRSA. */
  readonly signType?: AlipaySignType;
  /** How values become bytes, both in the signed text and on the wire. */
  readonly charset?: AlipayCharset;
  /**
   * True for services that sign `sign_type` too (servicemarket); trade notifications leave it out.
   */
  readonly signTypeIsSigned?: boolean;
}

/**
 * The signed bytes: all fields but `sign` (and `sign_type`), sorted by name, `k=v` joined by `&`.
 * Empty values are included and nothing is trimmed (docs/providers/alipay.md, "Signed text").
 */
export function alipaySignedBytes(
  fields: Fields,
  options: Pick<AlipaySigning, 'charset' | 'signTypeIsSigned'> = {},
): Buffer {
  const left = options.signTypeIsSigned ? ['sign'] : ['sign', 'sign_type'];
  const text = withoutFields(fields, ...left)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return iconv.encode(text, options.charset ?? 'utf-8');
}

/** The fields with `sign` and `sign_type` appended; a given `sign_type` keeps its place. */
export function signAlipayFields(fields: Fields, signing: AlipaySigning): Fields {
  const signType = signing.signType ?? 'RSA2';
  const unsigned = withoutFields(fields, 'sign');
  const typed = unsigned.some(([name]) => name === 'sign_type')
    ? unsigned
    : [...unsigned, ['sign_type', signType] as const];
  const hash = signType === 'RSA2' ? 'sha256' : 'sha1';
  const signature = sign(hash, alipaySignedBytes(typed, signing), signing.privateKey);
  return [...typed, ['sign', signature.toString('base64')]];
}

/**
 * `application/x-www-form-urlencoded` as Java's URLEncoder writes it: blank as `+`, hex digits in
 * capitals.
 */
export function encodeForm(fields: Fields, charset: AlipayCharset = 'utf-8'): Buffer {
  const encoded = fields.map(([name, value]) =>
    [name, value].map((text) => percentEncode(iconv.encode(text, charset))).join('='),
  );
  return Buffer.from(encoded.join('&'), 'latin1');
}

function percentEncode(bytes: Buffer): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9.*_-]/.test(character)) return character;
    if (character === ' ') return '+';
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

/** The POST with these fields, exactly in this order. */
export function alipayRequest(fields: Fields, charset: AlipayCharset = 'utf-8'): SignedRequest {
  return {
    body: encodeForm(fields, charset),
    headers: { 'content-type': `application/x-www-form-urlencoded; charset=${charset}` },
  };
}

/** The fields of a POST in utf-8, in their order. */
export function alipayFields({ body }: SignedRequest): Fields {
  return [...new URLSearchParams(body.toString('latin1'))];
}
