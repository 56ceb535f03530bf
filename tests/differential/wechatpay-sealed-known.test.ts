import type { WechatpayMessage } from '@payonce/providers/wechatpay/verify';
import { expect, test } from 'vitest';
import { createSides, envelope, PAYMENT_TEXT, type Resource, sealed } from './wechatpay-sides.js';

/**
 * The intended differences between the SDKs and our adapter in opening encrypted content (for the
 * signature: `wechatpay-known.test.ts`).
 */

const sides = await createSides();

const SEALING = { key: sides.apiV3Key, nonce: 'nonce-of-12-', associatedData: 'transaction' };
const RESOURCE = sealed(PAYMENT_TEXT, SEALING);

const judge = (resource: Resource) => ({
  axiosPlugin: sides.axiosPlugin.opens(resource),
  ours: sides.ours(sides.sign(envelope(resource))),
});
const undecryptable = {
  ok: false,
  reason: 'undecryptable',
  signedDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
};

test('a sealed resource with another amount is opened by wechatpay-node-v3, which never checks the tag; we refuse it', () => {
  const bytes = Buffer.from(RESOURCE.ciphertext, 'base64');
  const digit = PAYMENT_TEXT.indexOf('8888');
  bytes.writeUInt8(bytes.readUInt8(digit) ^ ('8'.charCodeAt(0) ^ '1'.charCodeAt(0)), digit);
  const forged = { ...RESOURCE, ciphertext: bytes.toString('base64') };
  expect(sides.nodeV3.opens(forged)).toMatchObject({ amount: { total: 1888 } });
  expect(judge(forged)).toEqual({ axiosPlugin: null, ours: undecryptable });
});

test.each([4, 8, 16])(
  'a sealed resource without content and with a tag of %i bytes is opened by wechatpay-axios-plugin; we refuse it',
  (length) => {
    const tag = Buffer.from(sealed('', SEALING).ciphertext, 'base64').subarray(0, length);
    const empty = { ...RESOURCE, ciphertext: tag.toString('base64') };
    expect(judge(empty)).toEqual({ axiosPlugin: '', ours: undecryptable });
  },
);

test.each(['short', 'nonce-of-16-byte'])(
  'a sealed resource under the nonce “%s” is refused: WeChat’s has 12 bytes',
  (nonce) => {
    const resource = sealed(PAYMENT_TEXT, { ...SEALING, nonce });
    expect(judge(resource)).toEqual({
      axiosPlugin: PAYMENT_TEXT,
      ours: undecryptable,
    });
  },
);

test('a sealed resource with another algorithm’s name, or in loose base64, is refused by us alone', () => {
  const otherName = { ...RESOURCE, algorithm: 'AEAD_SM4_GCM' };
  const loose = { ...RESOURCE, ciphertext: `${RESOURCE.ciphertext}\n` };
  for (const resource of [otherName, loose]) {
    expect(judge(resource)).toEqual({
      axiosPlugin: PAYMENT_TEXT,
      ours: undecryptable,
    });
  }
});

test('a sealed resource may contain numbers that no double can hold: rounded by the SDKs’ way of reading, omitted by us', () => {
  const text = '{"transaction_id":4200001232202110411111111111,"amount":{"total":8888}}';
  const resource = sealed(text, SEALING);
  expect(sides.nodeV3.opens(resource)).toMatchObject({ transaction_id: 4.2000012322021104e27 });
  const verification = sides.ours(sides.sign(envelope(resource)));
  const message = verification.ok && (verification.request.message as WechatpayMessage);
  expect(message).toMatchObject({ resource: { transaction_id: null, amount: { total: 8888 } } });
});
