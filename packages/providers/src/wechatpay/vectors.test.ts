import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { randomApiKey, rsaKeyPairFromPem } from '@payonce/testkit/signers/keys';
import { sealResource, signWechatpayBody } from '@payonce/testkit/signers/wechatpay-wire';
import { describe, expect, test } from 'vitest';
import { signedRejection } from '../../test/rejections.js';
import { decodeBase64, openAesGcm, parsePublicKey, rsaVerify } from '../crypto.js';
import type { PaymentProvider } from '../provider.js';
import { parseJsonObject } from './json.js';
import { wechatpay } from './wechatpay.js';

/** Published real cases of other SDKs; not part of the repository. */
const folder = resolve(process.env.PAYONCE_VECTORS ?? '../shared/vectors');
const present = existsSync(folder);

interface Vector {
  readonly source: { readonly repo: string };
  readonly clock?: number;
  readonly keys: Readonly<Record<string, string>>;
  readonly input: Readonly<Record<string, string>>;
  readonly request: {
    readonly rawBody: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly response: Vector['request'];
  readonly expected: {
    readonly plaintext?: string;
    readonly valid?: boolean;
    readonly error?: boolean;
    readonly certPem?: string;
    readonly serial?: string;
    readonly fields?: Readonly<Record<string, string | number>>;
  };
}

const read = (id: string): Vector =>
  JSON.parse(readFileSync(resolve(folder, `${id}.json`), 'utf8'));

const API_V3_KEY = randomApiKey();

function channelOf(serial: string, pem: string, changes: object = {}): PaymentProvider {
  const settings = wechatpay.settings.parse({
    merchantId: '1234567890',
    appIds: ['wxd678efh567hg6787'],
    apiV3Keys: [{ env: 'API_V3_KEY' }],
    keys: { [serial]: { env: 'KEY' } },
    ...changes,
  });
  return wechatpay.create(settings, (source) =>
    'env' in source && source.env === 'KEY' ? pem : API_V3_KEY,
  );
}

function requestOf({ headers, rawBody }: Vector['request'], receivedAt: Date) {
  const lowerCase = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    value.replace('{now}', String(Math.floor(receivedAt.getTime() / 1000))),
  ]);
  return { headers: Object.fromEntries(lowerCase), body: Buffer.from(rawBody, 'utf8'), receivedAt };
}

if (!present) console.info('the open vectors are not here: PAYONCE_VECTORS names no folder');

describe.runIf(present)('a whole published notification (wechatpay-go, frozen clock)', () => {
  const setUp = () => {
    const vector = read('wxpay3-notify-payscore-open-service');
    const { platformSerial: serial = '', platformCertPem: pem = '' } = vector.keys;
    const at = new Date((vector.clock ?? 0) * 1000);
    return { vector, serial, at, channel: channelOf(serial, pem) };
  };

  test('its signature verifies; its 16-byte key is no production key, so it cannot be opened', () => {
    const { vector, at, channel } = setUp();
    expect(channel.verify(requestOf(vector.request, at))).toEqual(signedRejection('undecryptable'));
  });

  test('one byte or one header changed, and it does not verify', () => {
    const { vector, at, channel } = setUp();
    const { rawBody } = vector.request;
    const changed = { ...vector.request, rawBody: rawBody.replace('签约成功', '签约成工') };
    expect(channel.verify(requestOf(changed, at))).toEqual({
      ok: false,
      reason: 'bad_signature',
    });
    expect(channel.verify(requestOf(vector.request, new Date(at.getTime() + 301_000)))).toEqual({
      ok: false,
      reason: 'stale',
    });
  });

  test('with the same certificate and a 32-byte key it is accepted, and held as not understood', () => {
    const { vector, serial, at, channel } = setUp();
    const { plaintext = '' } = vector.expected;
    const signing = { privateKey: publishedPrivateKey(), serial, at };
    const envelope = JSON.parse(vector.request.rawBody);
    const resource = sealResource(plaintext, { apiV3Key: API_V3_KEY, originalType: 'payscore' });
    // Escaped slashes, as WeChat writes them: they verify raw and would not after JSON.stringify.
    const text = JSON.stringify({ ...envelope, summary: 'a/b', resource }).replaceAll('/', '\\/');
    const verdict = channel.verify({
      ...signWechatpayBody(Buffer.from(text), signing),
      receivedAt: at,
    });
    expect(verdict).toMatchObject({ ok: true, notificationId: envelope.id });
    expect(verdict.ok && channel.decode(verdict.request)).toEqual([
      { kind: 'unsupported', orderNumber: null, says: 'PAYSCORE.USER_OPEN_SERVICE' },
    ]);
  });

  function publishedPrivateKey() {
    return rsaKeyPairFromPem(read('wxpay3-rsa-sign-source').keys.privateKeyPem ?? '').privateKey;
  }

  test('a published body with a foreign algorithm is rejected even when genuinely signed', () => {
    const { serial, at, channel } = setUp();
    const { rawBody } = read('wxpay3-body-sm4-algorithm').request;
    const signing = { privateKey: publishedPrivateKey(), serial, at };
    const whole = JSON.stringify({ id: '1', event_type: 'A', ...JSON.parse(rawBody) });
    for (const [text, reason] of [
      [rawBody, 'not_a_notification'],
      [whole, 'undecryptable'],
    ] as const) {
      const request = signWechatpayBody(Buffer.from(text), signing);
      expect(channel.verify({ ...request, receivedAt: at })).toEqual(signedRejection(reason));
    }
  });

  test.each(['wxpay3-headers-missing-nonce', 'wxpay3-headers-missing-signature'])(
    '%s is malformed',
    (id) => {
      const { at, channel } = setUp();
      expect(channel.verify(requestOf(read(id).request, at))).toEqual({
        ok: false,
        reason: 'malformed',
      });
    },
  );
});

describe.runIf(present)('published cases of single functions', () => {
  test('a signed API answer verifies, and is no notification', () => {
    const vector = read('wxpay3-response-h5-url');
    const at = new Date((vector.clock ?? 0) * 1000);
    const { platformSerial = '', ...pems } = vector.keys;
    const pem = Object.values(pems).find((value) => value.includes('PUBLIC KEY')) ?? '';
    expect(channelOf(platformSerial, pem).verify(requestOf(vector.response, at))).toEqual(
      signedRejection('not_a_notification'),
    );
  });

  test.each([
    'wxpay3-rsa-verify-java-cert',
    'wxpay3-rsa-verify-empty-message',
    'wxpay3-rsa-verify-wrong-message',
    'wxpay3-rsa-verify-non-base64-signature',
    'wxpay3-rsa4096-fake-sign',
  ])('%s', (id) => {
    const { keys, input, expected } = read(id);
    const { key, serial } = parsePublicKey(keys.platformCertPem ?? '', 2048);
    const signature = decodeBase64(input.signature ?? '');
    const verified =
      signature !== null && rsaVerify('sha256', Buffer.from(input.message ?? ''), key, signature);
    expect(serial).toBe(keys.platformSerial);
    expect(verified).toBe(expected.valid);
  });

  test.each([
    'wxpay3-gcm-java-bad-aad',
    'wxpay3-gcm-java-bad-cipher',
    'wxpay3-gcm-transaction-resource',
  ])('%s', (id) => {
    const { input, expected } = read(id);
    expect(open(input)?.toString() ?? null).toBe(expected.plaintext ?? null);
  });

  test.each([
    'wxpay3-gcm-go-hello-world',
    'wxpay3-gcm-go-wrong-key',
    'wxpay3-gcm-go-invalid-ciphertext',
    'wxpay3-gcm-axios-hello-world',
  ])('%s: a key of 16 bytes or a nonce of 16 bytes is never used', (id) => {
    expect(open(read(id).input)).toBeNull();
  });

  const open = (input: Vector['input']) =>
    openAesGcm(
      Buffer.from(input.key ?? ''),
      Buffer.from(input.nonce ?? ''),
      Buffer.from(input.associated_data ?? ''),
      decodeBase64(input.ciphertext ?? '') ?? Buffer.alloc(0),
    );

  test('a published payment states its order, trade, total and time', () => {
    const { input, expected } = read('wxpay3-gcm-transaction-resource');
    const resource = parseJsonObject(open(input) ?? Buffer.alloc(0));
    expect(resource).toEqual(JSON.parse(expected.plaintext ?? ''));

    const privateKeyPem = read('wxpay3-rsa-sign-source').keys.privateKeyPem ?? '';
    const { privateKey, publicPem } = rsaKeyPairFromPem(privateKeyPem);
    const at = new Date();
    const serial = 'PUB_KEY_ID_1';
    const sealed = sealResource(expected.plaintext ?? '', { apiV3Key: API_V3_KEY });
    const envelope = { id: '1', event_type: 'TRANSACTION.SUCCESS', resource: sealed };
    const channel = channelOf(serial, publicPem, { merchantId: '1230000109' });
    const verdict = channel.verify({
      ...signWechatpayBody(Buffer.from(JSON.stringify(envelope)), { privateKey, serial, at }),
      receivedAt: at,
    });
    const trade = '1217752501201407033233368018';
    const paidAt = new Date('2018-06-08T02:34:56Z');
    expect(verdict.ok && channel.decode(verdict.request)).toEqual([
      {
        kind: 'order',
        rail: 'wechat',
        orderNumber: trade,
        trade,
        amount: 100n,
        currency: 'CNY',
        payeeMatches: true,
        signed: true,
        facts: [{ kind: 'paid', rail: 'wechat', trade, amount: 100n, at: paidAt }],
      },
    ]);
  });

  test('a downloaded platform certificate opens, and its serial is the listed one', () => {
    const { response, keys, expected } = read('wxpay3-certificates-download-java');
    const [item] = JSON.parse(response.rawBody).data;
    const sealed = { key: keys.apiV3Key ?? '', ...item.encrypt_certificate };
    const pem = open(sealed)?.toString() ?? '';
    expect(pem.trim()).toBe(expected.certPem?.trim());
    expect(parsePublicKey(pem, 2048).serial).toBe(expected.serial);
    expect(() => channelOf(expected.serial ?? '', pem)).not.toThrow();
  });
});
