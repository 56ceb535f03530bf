import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { type Fields, type SignedRequest, withoutFields } from './request.js';

/**
 * API v2's XML, signature and refund cipher for any fields: the basis of the signer, and for
 * hostile tests.
 */

export type WechatV2SignType = 'MD5' | 'HMAC-SHA256';

/**
 * Non-empty fields but `sign`, sorted by name, `k=v` joined by `&`, then `&key=`
 * (docs/providers/wechatpay-v2.md, "Signature").
 */
export function wechatV2SignedText(fields: Fields, apiKey: string): string {
  const pairs = withoutFields(fields, 'sign')
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`);
  return [...pairs, `key=${apiKey}`].join('&');
}

/** Upper-case hex: 32 digits for MD5, 64 for HMAC-SHA256. */
export function wechatV2Sign(fields: Fields, apiKey: string, signType: WechatV2SignType): string {
  const text = wechatV2SignedText(fields, apiKey);
  const digest =
    signType === 'MD5'
      ? createHash('md5').update(text, 'utf8')
      : createHmac('sha256', apiKey).update(text, 'utf8');
  return digest.digest('hex').toUpperCase();
}

/** All values as CDATA, one element per line, as WeChat writes them. */
export function wechatV2Xml(fields: Fields, root = 'xml'): string {
  const lines = fields.map(([name, value]) => `<${name}>${cdata(value)}</${name}>`);
  return [`<${root}>`, ...lines, `</${root}>`].join('\n');
}

/** One CDATA section cannot contain `]]>`: it is split into two. */
function cdata(value: string): string {
  return `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
}

/**
 * AES-256-ECB with PKCS#7; the key is the 32 lower-case hex digits of md5(API key), as text
 * (docs/providers/wechatpay-v2.md, "Refund notice").
 */
export function sealReqInfo(plaintext: Buffer | string, apiKey: string): string {
  const key = createHash('md5').update(apiKey, 'utf8').digest('hex');
  const cipher = createCipheriv('aes-256-ecb', Buffer.from(key, 'latin1'), null);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]).toString('base64');
}

export function wechatV2Request(xml: string): SignedRequest {
  return { body: Buffer.from(xml, 'utf8'), headers: { 'content-type': 'text/xml; charset=utf-8' } };
}

/** The fields of a POST of `wechatV2Xml`, in their order; no value contains CDATA's terminator. */
export function wechatV2Fields({ body }: SignedRequest): Fields {
  const found = body.toString('utf8').matchAll(/<(\w+)><!\[CDATA\[(.*?)\]\]><\/\1>/gs);
  return [...found].map(([, name = '', value = '']) => [name, value] as const);
}
