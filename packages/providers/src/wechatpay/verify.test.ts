import { randomSerial } from '@payonce/testkit/signers/keys';
import { sealResource, signWechatpayBody } from '@payonce/testkit/signers/wechatpay-wire';
import { describe, expect, test } from 'vitest';
import { rejection, signedRejection } from '../../test/rejections.js';
import {
  apiV3Key,
  certificate,
  createChannel,
  createSigner,
  envelope,
  genuine,
  NOW,
  payment,
  platform,
  retired,
  retiredApiV3Key,
  seconds,
  signed,
  signer,
  successor,
  verify,
  withHeaders,
} from '../../test/wechatpay.js';

describe('a genuine notification', () => {
  test('is accepted with its ID, a digest, and as signed', () => {
    expect(verify(genuine)).toMatchObject({
      ok: true,
      notificationId: genuine.notificationId,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      authenticity: 'signed',
      sentAt: new Date(Number(genuine.headers['wechatpay-timestamp']) * 1000),
    });
  });

  test('is accepted again, with new encryption and signature, under the same ID and digest', () => {
    const again = verify(signer.resend(genuine, { reencrypt: true }));
    const first = verify(genuine);
    expect(again).toEqual(first);
    expect(first.ok).toBe(true);
  });

  test('has another digest when the content or the event type differs', () => {
    const { resource } = genuine.content;
    const id = genuine.content.id;
    const digests = ['TRANSACTION.SUCCESS', 'TRANSACTION.FAIL']
      .flatMap((eventType) => [
        signer.event({ eventType, resource, notificationId: id }),
        signer.event({
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
    const other = createSigner({ privateKey: successor.pair.privateKey, serial: successor.serial });
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
    expect(verify({ headers, body: reserialised })).toEqual(rejection('bad_signature'));
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
      expect(verify(signer.event({ eventType: 'NEW.KIND', resource })).ok).toBe(true);
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

  test.each(required)('%s missing, empty or doubled is rejected', (name) => {
    const value = genuine.headers[name];
    for (const bad of [undefined, '', `${value}, ${value}`, `${value},${value}`]) {
      expect(verify(withHeaders({ [name]: bad }))).toEqual(rejection('malformed'));
    }
  });

  test.each([
    '',
    'WECHATPAY2-SM2-WITH-SM3',
    'WECHATPAY-BRAND-SHA256-RSA2048',
    'WECHATPAY2-SHA256-RSA2048, WECHATPAY2-SHA256-RSA2048',
  ])('another signature type is rejected: %j', (type) => {
    expect(verify(withHeaders({ 'wechatpay-signature-type': type }))).toEqual(
      rejection('malformed'),
    );
  });

  test.each(['now', '1e9', '-1', '1.5', '0x10', ' 1', `1${'0'.repeat(30)}`])(
    'a time that is no integer is rejected: %j',
    (timestamp) => {
      expect(verify(withHeaders({ 'wechatpay-timestamp': timestamp }))).toEqual(
        rejection('malformed'),
      );
    },
  );

  test('a line break in the nonce cannot shift the boundaries of a genuine message', () => {
    const body = Buffer.from(`first\n${genuine.body}`);
    const split = signWechatpayBody(body, {
      privateKey: platform.privateKey,
      serial: certificate.serial,
      at: NOW,
    });
    const nonce = `${split.headers['wechatpay-nonce']}\nfirst`;
    const moved = { body: genuine.body, headers: { ...split.headers, 'wechatpay-nonce': nonce } };
    expect(verify(moved)).toEqual(rejection('malformed'));
  });
});

describe('freshness is judged by the time of receipt', () => {
  test.each([-300, 0, 300])('%i s apart is fresh', (apart) => {
    expect(verify(genuine, seconds(apart)).ok).toBe(true);
  });

  test.each([-301, 301, 86_400])('%i s apart is stale', (apart) => {
    expect(verify(genuine, seconds(apart))).toEqual(rejection('stale'));
  });

  test("the channel's tolerance counts", () => {
    const strict = createChannel({ timestampToleranceSeconds: 5 });
    expect(strict.verify({ ...genuine, receivedAt: seconds(5) }).ok).toBe(true);
    expect(strict.verify({ ...genuine, receivedAt: seconds(6) })).toEqual(rejection('stale'));
  });

  test('without a time of receipt nothing is fresh', () => {
    expect(verify(genuine, new Date(Number.NaN))).toEqual(rejection('stale'));
  });
});

describe('keys', () => {
  test('an unknown serial is rejected', () => {
    expect(verify(withHeaders({ 'wechatpay-serial': randomSerial() }))).toEqual(
      rejection('unknown_key'),
    );
    expect(verify(withHeaders({ 'wechatpay-serial': '__proto__' }))).toEqual(
      rejection('unknown_key'),
    );
  });

  test("another of the channel's keys does not verify", () => {
    expect(verify(withHeaders({ 'wechatpay-serial': successor.serial }))).toEqual(
      rejection('bad_signature'),
    );
  });

  test('a retired signing key counts for requests received before, and no longer', () => {
    const old = createSigner({ privateKey: retired.pair.privateKey, serial: retired.serial });
    const request = old.payment(payment);
    expect(verify(request, seconds(-61)).ok).toBe(true);
    expect(verify(request, seconds(-60))).toEqual(rejection('unknown_key'));
  });

  test('a retired API v3 key opens requests received before, and no longer', () => {
    const request = createSigner({ apiV3Key: retiredApiV3Key }).payment(payment);
    expect(verify(request, seconds(-61)).ok).toBe(true);
    expect(verify(request, seconds(-60))).toEqual(signedRejection('undecryptable'));
  });
});
