import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { alipaySignedBytes, signAlipayFields } from './alipay-wire.js';
import { fieldValue } from './request.js';
import {
  sealReqInfo,
  type WechatV2SignType,
  wechatV2Sign,
  wechatV2SignedText,
} from './wechatpay-v2-wire.js';
import { sealResource } from './wechatpay-wire.js';

/** Cases that others published with their SDKs; read where the folder exists, never copied. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const folder = resolve(root, process.env.PAYONCE_VECTORS ?? '../shared/vectors');
const vector = (name: string) => JSON.parse(readFileSync(resolve(folder, `${name}.json`), 'utf8'));

describe.skipIf(!existsSync(folder))('published vectors', () => {
  test.each([
    'wxpay2-sign-official-sample-md5',
    'wxpay2-sign-wechatpy-md5',
    'wxpay2-sign-wechatpy-hmac',
    'wxpay2-sign-jsapi-hmac',
    'wxpay2-sign-jasl-hmac-key',
  ])('v2 signs as published: %s', (name) => {
    const { input, expected } = vector(name);
    const fields = Object.entries(input.params as Record<string, string>);
    expect(wechatV2Sign(fields, input.key, input.signType as WechatV2SignType)).toBe(expected.sign);
  });

  test('v2 leaves empty values out of the signed text', () => {
    const { input, expected } = vector('wxpay2-sign-empty-value-wrong');
    expect(wechatV2SignedText(Object.entries(input.params), input.key)).toBe(expected.signString);
  });

  test('v2 encrypts a refund to the published cipher text', () => {
    const { input, expected } = vector('wxpay2-refund-req-info-easywechat');
    expect(sealReqInfo(expected.plaintext, input.apiV2Key)).toBe(input.req_info);
    const short = vector('wxpay2-aes-ecb-ijpay');
    expect(sealReqInfo('IJPay', short.input.apiV2Key)).toBe(short.input.ciphertext);
  });

  test('v3 encrypts a transaction to the published cipher text', () => {
    const { input, expected } = vector('wxpay3-gcm-transaction-resource');
    const sealed = sealResource(expected.plaintext, {
      apiV3Key: input.key,
      nonce: input.nonce,
      associatedData: input.associated_data,
    });
    expect(sealed.ciphertext).toBe(input.ciphertext);
  });

  test('Alipay (RSA) signs a finished trade to the published signature', () => {
    const { request, keys } = vector('alipay-notify-trade-finished-rsa1');
    const fields = Object.entries(request.params as Record<string, string>);
    const signed = signAlipayFields(fields, {
      privateKey: createPrivateKey(keys.privateKeyPem),
      signType: 'RSA',
    });
    expect(fieldValue(signed, 'sign')).toBe(request.params.sign);
  });

  test('Alipay signs the map of another SDK to its published signature', () => {
    const { keys, expected } = vector('alipay-sign-rsa1-and-md5-php-scalars');
    const fields = expected.signString.split('&').map((pair: string) => pair.split('='));
    const signed = signAlipayFields(fields, {
      privateKey: createPrivateKey(keys.privateKeyPem),
      signType: 'RSA',
    });
    expect(fieldValue(signed, 'sign')).toBe(expected.rsaSha1);
  });

  test.each([
    ['alipay-notify-trade-success-rsa2-pk', false],
    ['alipay-notify-servicemarket-sign-type-signed', true],
  ])('the signed text matches a real signature: %s', (name, signTypeIsSigned) => {
    const { request, keys } = vector(name);
    const fields = Object.entries(request.params as Record<string, string>);
    const key = createPublicKey(keys.alipayPublicKeyPem);
    const signature = Buffer.from(request.params.sign, 'base64');
    expect(verify('sha256', alipaySignedBytes(fields, { signTypeIsSigned }), key, signature)).toBe(
      true,
    );
  });
});
