import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { signedRejection } from '../../test/rejections.js';
import { decodeBase64, md5Hex, openAesEcb } from '../crypto.js';
import type { WechatpayV2Message } from './message.js';
import { reply } from './reply.js';
import { wechatpayV2Settings } from './settings.js';
import { isSignedBy, type SignType, signatureOf, textToSign } from './sign.js';
import { wechatpayV2 } from './wechatpay-v2.js';
import { parseFlatXml } from './xml.js';

/** Published cases of other SDKs: not in this repository, run if they are available. */
interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly negative: boolean;
  readonly input?: {
    readonly params?: Record<string, string>;
    readonly key?: string;
    readonly signType?: SignType;
    readonly aesKey?: string;
    readonly apiV2Key?: string;
    readonly ciphertext?: string;
    readonly req_info?: string;
  };
  readonly request?: { readonly rawBody: string };
  readonly keys?: { readonly apiV2Key: string };
  readonly expected: {
    readonly valid?: boolean;
    readonly sign?: string;
    readonly signType?: SignType;
    readonly signString?: string;
    readonly plaintext?: string;
    readonly body?: string;
    readonly fields?: Record<string, string>;
  };
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const folder = resolve(root, process.env.PAYONCE_VECTORS ?? '../shared/vectors');
const vectors: Vector[] = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => /^wxpay2-.*\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector)
  : [];

const fields = (vector: Vector) => new Map(Object.entries(vector.input?.params ?? {}));
const body = (vector: Vector) => Buffer.from(vector.request?.rawBody ?? '', 'utf8');
const rootOf = (bytes: Buffer) =>
  bytes.toString().trimStart().startsWith('<root') ? 'root' : 'xml';

function verifyWith(key: string, bytes: Buffer, signType: SignType = 'HMAC-SHA256') {
  const settings = { merchantId: '1', appIds: ['wx'], apiKeys: [{ env: 'KEY' }], signType };
  const provider = wechatpayV2.create(wechatpayV2Settings.parse(settings), () => key);
  return provider.verify({ body: bytes, headers: {}, receivedAt: new Date() });
}

function expectSignText(vector: Vector, message: ReadonlyMap<string, string>, key: string): void {
  const { signString } = vector.expected;
  if (signString !== undefined) expect(`${textToSign(message)}&key=${key}`).toBe(signString);
}

/** One check for each kind; an unknown kind fails, so that no vector is skipped silently. */
const checks: Record<string, (vector: Vector) => void> = {
  'sign-compute'(vector) {
    const { key = '', signType = 'MD5' } = vector.input ?? {};
    expect(signatureOf(fields(vector), signType, key)).toBe(vector.expected.sign);
  },
  'notify-signature-params'(vector) {
    const { key = '', signType = 'MD5' } = vector.input ?? {};
    expectSignText(vector, fields(vector), key);
    expect(isSignedBy(fields(vector), signType, key)).toBe(vector.expected.valid);
  },
  'notify-signature'(vector) {
    const message = parseFlatXml(body(vector), 'xml');
    if (message === null) return expect.fail('not read');
    const key = vector.keys?.apiV2Key ?? '';
    const signType = vector.expected.signType ?? 'MD5';
    expectSignText(vector, message, key);
    expect(isSignedBy(message, signType, key)).toBe(vector.expected.valid);
    const result = verifyWith(key, body(vector), signType);
    // Some published texts have a valid signature and are no notification: they lack return_code.
    const notification = vector.expected.valid === true && message.has('return_code');
    expect(result.ok).toBe(notification);
    if (vector.expected.valid && !notification) {
      expect(result).toEqual(signedRejection('not_a_notification'));
    }
  },
  'notify-xml-parse'(vector) {
    const message = parseFlatXml(body(vector), rootOf(body(vector)));
    if (vector.negative) return expect(message).toBeNull();
    expect(Object.fromEntries(message ?? [])).toEqual(vector.expected.fields);
  },
  'malformed-body'(vector) {
    expect(parseFlatXml(body(vector), 'xml')).toBeNull();
    expect(verifyWith('0'.repeat(32), body(vector))).toEqual({
      ok: false,
      reason: 'malformed',
    });
  },
  'aes-ecb'(vector) {
    const { aesKey = '', apiV2Key, ciphertext = '' } = vector.input ?? {};
    if (apiV2Key !== undefined) expect(md5Hex(apiV2Key)).toBe(aesKey);
    const plain = openAesEcb(Buffer.from(aesKey), decodeBase64(ciphertext) ?? Buffer.alloc(0));
    expect(plain?.toString()).toBe(vector.expected.plaintext);
  },
  'refund-req-info'(vector) {
    const { apiV2Key = '', req_info = '' } = vector.input ?? {};
    const xml = `<xml><return_code>SUCCESS</return_code><mch_id>1</mch_id><req_info>${req_info}</req_info></xml>`;
    const result = verifyWith(apiV2Key, Buffer.from(xml));
    if (!result.ok) return expect.fail(result.reason);
    const message = result.request.message as WechatpayV2Message;
    const refund = message.kind === 'refund' ? Object.fromEntries(message.refund) : {};
    expect(refund).toMatchObject(vector.expected.fields ?? {});
  },
  ack(vector) {
    const failure = reply({ outcome: 'unavailable' }).body.replaceAll(
      'FAIL]]></return_msg',
      ']]></return_msg',
    );
    if (!vector.negative)
      return expect(reply({ outcome: 'accepted' }).body).toBe(vector.expected.body);
    expect(vector.expected.body?.replace(/\[[^[]*\]\]><\/return_msg/, '[]]></return_msg')).toBe(
      failure,
    );
  },
};

describe.skipIf(vectors.length === 0)('published vectors', () => {
  test.each(vectors.map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const check = checks[vector.kind];
    if (check === undefined) return expect.fail(`no check for the kind ${vector.kind}`);
    check(vector);
  });
});
