import {
  generateRsaKeyPair,
  issueCertificate,
  randomApiKey,
  randomPublicKeyId,
  randomSerial,
} from '@payonce/testkit/keys';
import type { SignedRequest } from '@payonce/testkit/request';
import { createWechatpaySigner } from '@payonce/testkit/wechatpay';
import { asSignatureProbe, sealResource, signWechatpayBody } from '@payonce/testkit/wechatpay-wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PaymentProvider } from '../provider.js';
import { wechatpay } from './wechatpay.js';

const NOW = new Date('2026-11-23T08:00:00Z');
const seconds = (count: number) => new Date(NOW.getTime() + count * 1000);

const platform = generateRsaKeyPair();
const certificate = await issueCertificate(platform);
const successor = generateRsaKeyPair();
const publicKeyId = randomPublicKeyId();
const retired = { pair: generateRsaKeyPair(), serial: randomSerial(), at: seconds(-60) };
const apiV3Key = randomApiKey();
const retiredApiV3Key = randomApiKey();
const payee = { appId: 'wx0000000000000001', merchantId: '1900000001' };

function createChannel(changes: object = {}): PaymentProvider {
  const secrets: Record<string, string> = {
    CERTIFICATE: certificate.pem,
    PUBLIC_KEY: successor.publicPem,
    RETIRED: retired.pair.publicPem,
    API_V3_KEY: apiV3Key,
    RETIRED_API_V3_KEY: retiredApiV3Key,
  };
  const settings = wechatpay.settings.parse({
    merchantId: payee.merchantId,
    appIds: [payee.appId],
    apiV3Keys: [
      { env: 'RETIRED_API_V3_KEY', retiredAt: retired.at.toISOString() },
      { env: 'API_V3_KEY' },
    ],
    keys: {
      [certificate.serial]: { env: 'CERTIFICATE' },
      [publicKeyId]: { env: 'PUBLIC_KEY' },
      [retired.serial]: { env: 'RETIRED', retiredAt: retired.at.toISOString() },
    },
    ...changes,
  });
  return wechatpay.create(settings, (source) =>
    'env' in source ? (secrets[source.env] ?? '') : '',
  );
}

const channel = createChannel();
const signer = (changes: object = {}) =>
  createWechatpaySigner({
    ...payee,
    apiV3Key,
    privateKey: platform.privateKey,
    serial: certificate.serial,
    clock: () => NOW,
    ...changes,
  });
const payment = {
  orderNumber: 'A1',
  trade: '4200000001202611230000000001',
  amount: 8888n,
  paidAt: NOW,
};
const genuine = signer().payment(payment);

const verify = (request: SignedRequest, receivedAt = NOW) =>
  channel.verify({ ...request, receivedAt });
/** A genuine signature over exactly this text. */
const signed = (body: string | Buffer) => signer().bytes(Buffer.from(body as string));
const withHeaders = (headers: Record<string, string | undefined>) => ({
  body: genuine.body,
  headers: { ...genuine.headers, ...headers } as Record<string, string>,
});
const refusal = (reason: string) => ({ ok: false, reason });
/** The genuine envelope with other properties, genuinely signed. */
const envelope = (changes: object) =>
  signed(JSON.stringify({ ...JSON.parse(genuine.body.toString()), ...changes }));

describe('a genuine notification', () => {
  test('is accepted with its ID, a digest, and as signed', () => {
    expect(verify(genuine)).toMatchObject({
      ok: true,
      notificationId: genuine.notificationId,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      authenticity: 'signed',
    });
  });

  test('is accepted again, sealed and signed anew, under the same ID and digest', () => {
    const again = verify(signer().resend(genuine, { reencrypt: true }));
    const first = verify(genuine);
    expect(again).toEqual(first);
    expect(first.ok).toBe(true);
  });

  test('has another digest when the content or the event type is another', () => {
    const { resource } = genuine.content;
    const id = genuine.content.id;
    const digests = ['TRANSACTION.SUCCESS', 'TRANSACTION.FAIL']
      .flatMap((eventType) => [
        signer().event({ eventType, resource, notificationId: id }),
        signer().event({
          eventType,
          resource: resource.replace('8888', '8889'),
          notificationId: id,
        }),
      ])
      .map((request) => verify(request))
      .map((verdict) => (verdict.ok ? verdict.digest : null));
    expect(digests).not.toContain(null);
    expect(new Set(digests).size).toBe(4);
  });

  test('is accepted from a public key beside the certificate', () => {
    const other = signer({ privateKey: successor.privateKey, serial: publicKeyId });
    expect(verify(other.payment(payment)).ok).toBe(true);
  });

  test('is accepted without the signature type, and with a serial in lower case', () => {
    expect(verify(withHeaders({ 'wechatpay-signature-type': undefined })).ok).toBe(true);
    expect(verify(withHeaders({ 'wechatpay-serial': certificate.serial.toLowerCase() })).ok).toBe(
      true,
    );
  });

  test('is verified over its raw bytes: escapes and spaces that JSON would not keep', () => {
    const text = genuine.body.toString().replaceAll('/', '\\/').replace('{', '{ ');
    expect(text).not.toBe(JSON.stringify(JSON.parse(text)));
    expect(verify(signed(text)).ok).toBe(true);
    const { headers } = signed(text);
    const reserialised = Buffer.from(JSON.stringify(JSON.parse(text)));
    expect(verify({ headers, body: reserialised })).toEqual(refusal('bad_signature'));
  });

  test('may carry empty, null or no associated data', () => {
    const content = genuine.content.resource;
    const { associated_data: _, ...resource } = sealResource(content, {
      apiV3Key,
      associatedData: '',
    });
    expect(verify(envelope({ resource })).ok).toBe(true);
    expect(verify(envelope({ resource: { ...resource, associated_data: null } })).ok).toBe(true);
    expect(verify(envelope({ resource: { ...resource, associated_data: '' } })).ok).toBe(true);
    expect(verify(envelope({ resource: { ...resource, associated_data: 'x' } })).ok).toBe(false);
  });

  test('of an unknown kind, or with content that is no JSON object, is still genuine', () => {
    for (const resource of ['{"a":1}', 'not json', '[]', '\u0000', '{"a":1,"a":2}']) {
      expect(verify(signer().event({ eventType: 'NEW.KIND', resource })).ok).toBe(true);
    }
  });
});

describe('the signature headers', () => {
  const required = [
    'wechatpay-timestamp',
    'wechatpay-nonce',
    'wechatpay-signature',
    'wechatpay-serial',
  ];

  test.each(required)('%s missing, empty or doubled is refused', (name) => {
    const value = genuine.headers[name];
    for (const bad of [undefined, '', `${value}, ${value}`, `${value},${value}`]) {
      expect(verify(withHeaders({ [name]: bad }))).toEqual(refusal('malformed'));
    }
  });

  test.each([
    '',
    'WECHATPAY2-SM2-WITH-SM3',
    'WECHATPAY-BRAND-SHA256-RSA2048',
    'WECHATPAY2-SHA256-RSA2048, WECHATPAY2-SHA256-RSA2048',
  ])('another signature type is refused: %j', (type) => {
    expect(verify(withHeaders({ 'wechatpay-signature-type': type }))).toEqual(refusal('malformed'));
  });

  test.each(['now', '1e9', '-1', '1.5', '0x10', ' 1', `1${'0'.repeat(30)}`])(
    'a time that is no integer is refused: %j',
    (timestamp) => {
      expect(verify(withHeaders({ 'wechatpay-timestamp': timestamp }))).toEqual(
        refusal('malformed'),
      );
    },
  );

  test('a line break in the nonce cannot move the seams of a genuine message', () => {
    const body = Buffer.from(`first\n${genuine.body}`);
    const split = signWechatpayBody(body, {
      privateKey: platform.privateKey,
      serial: certificate.serial,
      at: NOW,
    });
    const nonce = `${split.headers['wechatpay-nonce']}\nfirst`;
    const moved = { body: genuine.body, headers: { ...split.headers, 'wechatpay-nonce': nonce } };
    expect(verify(moved)).toEqual(refusal('malformed'));
  });
});

describe('freshness is judged against the time of receipt', () => {
  test.each([-300, 0, 300])('%i s apart is fresh', (apart) => {
    expect(verify(genuine, seconds(apart)).ok).toBe(true);
  });

  test.each([-301, 301, 86_400])('%i s apart is stale', (apart) => {
    expect(verify(genuine, seconds(apart))).toEqual(refusal('stale'));
  });

  test("the channel's own tolerance counts", () => {
    const strict = createChannel({ timestampToleranceSeconds: 5 });
    expect(strict.verify({ ...genuine, receivedAt: seconds(5) }).ok).toBe(true);
    expect(strict.verify({ ...genuine, receivedAt: seconds(6) })).toEqual(refusal('stale'));
  });

  test('no time of receipt is no freshness', () => {
    expect(verify(genuine, new Date(Number.NaN))).toEqual(refusal('stale'));
  });
});

describe('keys', () => {
  test('an unknown serial is refused', () => {
    expect(verify(withHeaders({ 'wechatpay-serial': randomSerial() }))).toEqual(
      refusal('unknown_key'),
    );
    expect(verify(withHeaders({ 'wechatpay-serial': '__proto__' }))).toEqual(
      refusal('unknown_key'),
    );
  });

  test("another of the channel's keys does not verify", () => {
    expect(verify(withHeaders({ 'wechatpay-serial': publicKeyId }))).toEqual(
      refusal('bad_signature'),
    );
  });

  test('a retired signing key counts for what was received before, and no longer', () => {
    const old = signer({ privateKey: retired.pair.privateKey, serial: retired.serial });
    const request = old.payment(payment);
    expect(verify(request, seconds(-61)).ok).toBe(true);
    expect(verify(request, seconds(-60))).toEqual(refusal('unknown_key'));
  });

  test('a retired API v3 key opens what was received before, and no longer', () => {
    const request = signer({ apiV3Key: retiredApiV3Key }).payment(payment);
    expect(verify(request, seconds(-61)).ok).toBe(true);
    expect(verify(request, seconds(-60))).toEqual(refusal('undecryptable'));
  });
});

describe('the signature', () => {
  test('forged or altered content is refused', () => {
    expect(verify(signer().forge(genuine, 'foreign_key'))).toEqual(refusal('bad_signature'));
    expect(verify(signer().forge(genuine, 'changed_content'))).toEqual(refusal('bad_signature'));
  });

  test.each(['x', 'not base64!', 'AAAA', '===='])(
    'a broken signature is refused: %s',
    (signature) => {
      expect(verify(withHeaders({ 'wechatpay-signature': signature }))).toEqual(
        refusal('bad_signature'),
      );
    },
  );

  test('a truncated or foreign signature is refused', () => {
    const own = genuine.headers['wechatpay-signature'] ?? '';
    const foreign = signer().payment(payment).headers['wechatpay-signature'] ?? '';
    for (const signature of [own.slice(0, -4), own.slice(4), foreign, own.toLowerCase()]) {
      expect(verify(withHeaders({ 'wechatpay-signature': signature })).ok).toBe(false);
    }
  });

  test('one changed byte of the body, the time or the nonce is refused', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: genuine.body.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (index, change) => {
          const body = Buffer.from(genuine.body);
          body[index] = (body[index] ?? 0) ^ change;
          expect(verify({ ...genuine, body })).toEqual(refusal('bad_signature'));
        },
      ),
    );
    const timestamp = String(Number(genuine.headers['wechatpay-timestamp']) + 1);
    expect(verify(withHeaders({ 'wechatpay-timestamp': timestamp }))).toEqual(
      refusal('bad_signature'),
    );
    expect(verify(withHeaders({ 'wechatpay-nonce': 'other' }))).toEqual(refusal('bad_signature'));
  });

  test("WeChat's signature probe fails like any other, under its own name", () => {
    expect(verify(asSignatureProbe(genuine))).toEqual(refusal('signature_probe'));
  });

  test('a probe with an unknown serial or a stale time is refused for that', () => {
    const probe = asSignatureProbe(genuine);
    const headers = { ...probe.headers, 'wechatpay-serial': randomSerial() };
    expect(verify({ ...probe, headers })).toEqual(refusal('unknown_key'));
    expect(verify(probe, seconds(301))).toEqual(refusal('stale'));
  });
});

describe('a genuine signature alone does not make a notification', () => {
  test.each([
    ['an empty body', ''],
    ['no JSON', 'hello'],
    ['a JSON list', '[]'],
    ['a byte order mark', `\ufeff${genuine.body}`],
    ['a doubled key', genuine.body.toString().replace('{', '{"id":"other",')],
    [
      'a doubled key in the resource',
      genuine.body.toString().replace('"resource":{', '"resource":{"nonce":"other",'),
    ],
    [
      'broken UTF-8',
      Buffer.concat([
        genuine.body.subarray(0, -1),
        Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      ]),
    ],
  ])('%s is malformed', (_, body) => {
    expect(verify(signed(body))).toEqual(refusal('malformed'));
  });

  test.each([
    ['an API answer', '{"h5_url":"https://wx.tenpay.com/"}'],
    ['an empty object', '{}'],
  ])('%s is no notification', (_, body) => {
    expect(verify(signed(body))).toEqual(refusal('not_a_notification'));
  });

  test.each([
    { id: undefined },
    { id: '' },
    { id: 123 },
    { id: 'x'.repeat(129) },
    { id: 'a\u0000b' },
    { event_type: undefined },
    { event_type: 1 },
    { event_type: '' },
    { resource: undefined },
    { resource: null },
    { resource: 'sealed' },
    { resource: [] },
  ])('an envelope with %o is no notification', (changes) => {
    expect(verify(envelope(changes))).toEqual(refusal('not_a_notification'));
  });

  test('an ID of 128 characters is one', () => {
    const id = 'x'.repeat(128);
    expect(verify(envelope({ id }))).toMatchObject({ ok: true, notificationId: id });
  });
});

describe('what cannot be opened is refused, never acknowledged', () => {
  const sealed = sealResource(genuine.content.resource, { apiV3Key });
  const ciphertext = Buffer.from(sealed.ciphertext, 'base64');
  const flipped = Buffer.from(ciphertext);
  flipped[0] = (flipped[0] ?? 0) ^ 1;

  test.each([
    ['SM4', { algorithm: 'AEAD_SM4_GCM' }],
    ['no algorithm', { algorithm: undefined }],
    ['AES-128', { algorithm: 'AEAD_AES_128_GCM' }],
    ['no cipher text', { ciphertext: undefined }],
    ['an empty cipher text', { ciphertext: '' }],
    ['a cipher text that is not base64', { ciphertext: '*'.repeat(32) }],
    ['nothing but a tag', { ciphertext: ciphertext.subarray(-16).toString('base64') }],
    ['a shortened tag', { ciphertext: ciphertext.subarray(0, -4).toString('base64') }],
    ['a damaged cipher text', { ciphertext: flipped.toString('base64') }],
    ['another nonce', { nonce: 'abcdefghijkl' }],
    ['a nonce of another length', { nonce: `${sealed.nonce}x` }],
    ['no nonce', { nonce: undefined }],
    ['other associated data', { associated_data: 'refund' }],
    ['associated data that are no text', { associated_data: 1 }],
  ])('%s', (_, changes) => {
    expect(verify(envelope({ resource: { ...sealed, ...changes } }))).toEqual(
      refusal('undecryptable'),
    );
  });

  test("another merchant's API v3 key", () => {
    expect(verify(signer({ apiV3Key: randomApiKey() }).payment(payment))).toEqual(
      refusal('undecryptable'),
    );
  });
});

describe('never throws', () => {
  const names = [...channel.signatureHeaders, 'content-type'];

  test('on arbitrary headers and bodies', () => {
    const headers = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 200 }), (headers, bytes) => {
        expect(channel.verify({ headers, body: Buffer.from(bytes), receivedAt: NOW }).ok).toBe(
          false,
        );
      }),
    );
  });

  test('on arbitrary bytes, JSON and envelopes that are genuinely signed', () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ id: fc.jsonValue(), event_type: fc.jsonValue(), resource: fc.jsonValue() })
        .map((value) => Buffer.from(JSON.stringify(value))),
      fc
        .record({
          algorithm: fc.constant('AEAD_AES_256_GCM'),
          ciphertext: fc.base64String(),
          nonce: fc.string({ unit: 'binary' }),
          associated_data: fc.jsonValue(),
        })
        .map((resource) => Buffer.from(JSON.stringify({ id: '1', event_type: 'A', resource }))),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        expect(verify(signer().bytes(body)).ok).toBe(false);
      }),
    );
  });

  test('on a huge body', () => {
    expect(verify(signed(Buffer.alloc(1024 * 1024, '[')))).toEqual(refusal('malformed'));
  });
});
