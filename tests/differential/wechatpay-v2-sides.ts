import type { WechatpayV2Message } from '@payonce/providers/wechatpay-v2/message';
import { wechatpayV2 } from '@payonce/providers/wechatpay-v2/wechatpay-v2';
import { randomApiKey } from '@payonce/testkit/signers/keys';
import type { Fields } from '@payonce/testkit/signers/request';
import { type WechatV2SignType, wechatV2Xml } from '@payonce/testkit/signers/wechatpay-v2-wire';
import { Aes, Hash, Transformer } from 'wechatpay-axios-plugin';

/** Both sides with the same key: wechatpay-axios-plugin's API v2, and our adapter. */

export const PAYEE = { merchantId: '1900000001', appId: 'wx0000000000000001' };
const NOW = new Date('2026-11-23T08:32:00Z');

export function createSides(signType: WechatV2SignType = 'HMAC-SHA256', apiKey = randomApiKey()) {
  const provider = wechatpayV2.create(
    wechatpayV2.settings.parse({
      merchantId: PAYEE.merchantId,
      appIds: [PAYEE.appId],
      apiKeys: [{ env: 'KEY' }],
      signType,
    }),
    () => apiKey,
  );
  const transformer = new Transformer(undefined, apiKey);
  return {
    apiKey,
    ours: (xml: string | Buffer) =>
      provider.verify({ body: Buffer.from(xml), headers: {}, receivedAt: NOW }),
    /**
     * The verdict of its response chain on an answer of the API; its documentation uses it for
     * notifications.
     */
    sdkAccepts: (xml: string): boolean => {
      const [parse = fail, verify = fail] = transformer.response;
      try {
        const data: unknown = Reflect.apply(parse, {}, [xml]);
        return !(Reflect.apply(verify, {}, [data, {}, 200]) instanceof Error);
      } catch {
        return false;
      }
    },
    /** By `Hash.sign`, which its request chain calls. */
    sign: (fields: Fields, type: WechatV2SignType = signType, key = apiKey): Fields => [
      ...fields,
      ['sign', Hash.sign(type, Object.fromEntries(fields), key)],
    ],
    /** By its request chain: adds `nonce_str`, and uses the algorithm of `sign_type`, or MD5. */
    signBySdk: (fields: Fields): Fields => {
      const [sign = fail] = transformer.request;
      return Object.entries(Reflect.apply(sign, {}, [Object.fromEntries(fields)]));
    },
    /** `req_info`, sealed and opened by its AES-256-ECB. */
    seal: (refund: string, key = apiKey) => Aes.AesEcb.encrypt(refund, Hash.md5(key)),
    sdkOpens: (reqInfo: string): Record<string, unknown> | null => {
      try {
        const data: unknown = Transformer.toObject(Aes.AesEcb.decrypt(reqInfo, Hash.md5(apiKey)));
        return typeof data === 'object' && data !== null ? { ...data } : null;
      } catch {
        return null;
      }
    },
  };
}

export type Sides = ReturnType<typeof createSides>;

function fail(): never {
  throw new Error('the SDK has no such step');
}

/** The result of our adapter. */
export function readBy(verification: ReturnType<Sides['ours']>): Record<string, string> | null {
  if (!verification.ok) return null;
  const message = verification.request.message as WechatpayV2Message;
  return Object.fromEntries(message.kind === 'refund' ? message.refund : message.fields);
}

export const sdkXml = (fields: Fields): string => Transformer.toXml(Object.fromEntries(fields));

interface Writer {
  /** The nearest text that this way of writing can carry to the SDK's reader. */
  readonly fit: (text: string) => string;
  readonly write: (fields: Fields) => string;
}

/**
 * No way of writing carries a CR to the SDK's reader, or (to ours) characters that XML excludes:
 * see `wechatpay-v2-known.test.ts`, also for outer blanks and `]]>`.
 */
const inXml = (text: string) =>
  text.replace(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');

export const writers: Readonly<Record<string, Writer>> = {
  'as WeChat writes it': { fit: inXml, write: (fields) => wechatV2Xml(fields) },
  'as the SDK writes it': {
    fit: (text) => inXml(text).replaceAll(']]>', ']]').trim(),
    // Its object keeps one value of a doubled field: written one by one, and joined.
    write: (fields) => `<xml>${fields.map((field) => inner(sdkXml([field]))).join('')}</xml>`,
  },
  'with entities': {
    fit: (text) => inXml(text).trim(),
    write: (fields) => `<xml>${fields.map(escaped).join('\n')}</xml>`,
  },
};

export function inner(xml: string): string {
  return xml.slice('<xml>'.length, -'</xml>'.length);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escaped([name, text]: Fields[number]): string {
  return `<${name}>${text.replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark)}</${name}>`;
}
