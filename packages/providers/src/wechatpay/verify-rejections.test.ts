import { randomApiKey, randomSerial } from '@payonce/testkit/signers/keys';
import { asSignatureProbe, sealResource } from '@payonce/testkit/signers/wechatpay-wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rejection, signedRejection } from '../../test/rejections.js';
import {
  apiV3Key,
  channel,
  createSigner,
  envelope,
  genuine,
  NOW,
  payment,
  seconds,
  signed,
  signer,
  verify,
  withHeaders,
} from '../../test/wechatpay.js';

describe('the signature', () => {
  test('forged or altered content is rejected', () => {
    expect(verify(signer.forge(genuine, 'foreign_key'))).toEqual(rejection('bad_signature'));
    expect(verify(signer.forge(genuine, 'changed_content'))).toEqual(rejection('bad_signature'));
  });

  test.each(['x', 'not base64!', 'AAAA', '===='])(
    'a broken signature is rejected: %s',
    (signature) => {
      expect(verify(withHeaders({ 'wechatpay-signature': signature }))).toEqual(
        rejection('bad_signature'),
      );
    },
  );

  test('a truncated or foreign signature is rejected', () => {
    const own = genuine.headers['wechatpay-signature'] ?? '';
    const foreign = signer.payment(payment).headers['wechatpay-signature'] ?? '';
    for (const signature of [own.slice(0, -4), own.slice(4), foreign, own.toLowerCase()]) {
      expect(verify(withHeaders({ 'wechatpay-signature': signature })).ok).toBe(false);
    }
  });

  test('one changed byte of the body, the time or the nonce is rejected', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: genuine.body.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (index, change) => {
          const body = Buffer.from(genuine.body);
          body[index] = (body[index] ?? 0) ^ change;
          expect(verify({ ...genuine, body })).toEqual(rejection('bad_signature'));
        },
      ),
    );
    const timestamp = String(Number(genuine.headers['wechatpay-timestamp']) + 1);
    expect(verify(withHeaders({ 'wechatpay-timestamp': timestamp }))).toEqual(
      rejection('bad_signature'),
    );
    expect(verify(withHeaders({ 'wechatpay-nonce': 'other' }))).toEqual(rejection('bad_signature'));
  });

  test("WeChat's signature probe fails like any other, with a separate reason", () => {
    expect(verify(asSignatureProbe(genuine))).toEqual(rejection('signature_probe'));
  });

  test('a probe with an unknown serial or a stale time is rejected for that', () => {
    const probe = asSignatureProbe(genuine);
    const headers = { ...probe.headers, 'wechatpay-serial': randomSerial() };
    expect(verify({ ...probe, headers })).toEqual(rejection('unknown_key'));
    expect(verify(probe, seconds(301))).toEqual(rejection('stale'));
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
    expect(verify(signed(body))).toEqual(signedRejection('malformed'));
  });

  test.each([
    ['an API answer', '{"h5_url":"https://wx.tenpay.com/"}'],
    ['an empty object', '{}'],
  ])('%s is no notification', (_, body) => {
    expect(verify(signed(body))).toEqual(signedRejection('not_a_notification'));
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
    expect(verify(envelope(changes))).toEqual(signedRejection('not_a_notification'));
  });

  test('an ID of 128 characters is one', () => {
    const id = 'x'.repeat(128);
    expect(verify(envelope({ id }))).toMatchObject({ ok: true, notificationId: id });
  });
});

describe('content that does not open is rejected, never acknowledged', () => {
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
      signedRejection('undecryptable'),
    );
  });

  test("another merchant's API v3 key", () => {
    expect(verify(createSigner({ apiV3Key: randomApiKey() }).payment(payment))).toEqual(
      signedRejection('undecryptable'),
    );
  });
});

describe('never throws', () => {
  const names = [...channel.signatureHeaders, ...channel.gatewayOnlyHeaders, 'content-type'];

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
        expect(verify(signer.bytes(body)).ok).toBe(false);
      }),
    );
  });

  test('on a huge body', () => {
    expect(verify(signed(Buffer.alloc(1024 * 1024, '[')))).toEqual(signedRejection('malformed'));
  });
});
