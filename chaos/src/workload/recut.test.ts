import { seededRandom } from '@payonce/testkit/machine/random';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { alipaySignedBytes } from '@payonce/testkit/signers/alipay-wire';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { createWechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import { wechatV2SignedText } from '@payonce/testkit/signers/wechatpay-v2-wire';
import { expect, test } from 'vitest';
import { recut } from './recut.js';

const PAYMENT = {
  orderNumber: 'O1',
  trade: '4200001',
  amount: 8_888n,
  paidAt: new Date('2026-11-23T08:32:00Z'),
};
const REFUND = {
  ...PAYMENT,
  refundId: '5000001',
  refundAmount: 1n,
  refundedTotal: 1n,
  refundedAt: new Date('2026-11-23T09:00:00Z'),
  full: false,
};
const CUTS = 500;

const alipay = createAlipaySigner({
  appId: '2021',
  sellerId: '2088',
  privateKey: generateRsaKeyPair().privateKey,
});
const v2 = createWechatpayV2Signer({ appId: 'wx1', merchantId: '1900', apiKey: 'k'.repeat(32) });

function elements(body: Buffer): [string, string][] {
  const all = body.toString().matchAll(/<(\w+)><!\[CDATA\[(.*?)\]\]>/gs);
  return [...all].map(([, name = '', value = '']) => [name, value]);
}

/** The distinct bodies of so many tries. */
function bodies(make: (seed: number) => Buffer | undefined): Set<string> {
  return new Set(Array.from({ length: CUTS }, (_, seed) => make(seed)?.toString('latin1') ?? ''));
}

test('every cut of an Alipay notice has the signed text of the genuine one', () => {
  const genuine = alipay.payment({ ...PAYMENT, text: 'tea & cake&summary=2' });
  const text = alipaySignedBytes(genuine.content.fields).toString();
  const seen = bodies((seed) => {
    const body = recut('alipay', genuine, seededRandom(seed))?.body;
    const fields = [...new URLSearchParams(body?.toString('latin1'))].filter(
      ([, value]) => value !== '',
    );
    expect(alipaySignedBytes(fields).toString()).toBe(text);
    return body;
  });
  expect(seen.size).toBeGreaterThan(CUTS / 2);
  expect([...seen].filter((body) => body.includes('&summary=2')).length).toBeGreaterThan(5);
  expect([...seen].filter((body) => body.includes('%26trade_no%3D')).length).toBeGreaterThan(5);
});

test('every cut of an API v2 payment has the signed text of the genuine one', () => {
  const genuine = v2.payment({ ...PAYMENT, text: 'tea & cake&attached=2' });
  const text = wechatV2SignedText(elements(genuine.body), '');
  const seen = bodies((seed) => {
    const body = recut('wechatpay-v2', genuine, seededRandom(seed))?.body;
    expect(wechatV2SignedText(elements(body ?? Buffer.alloc(0)), '')).toBe(text);
    return body;
  });
  expect(seen.size).toBeGreaterThan(CUTS / 2);
});

test('every envelope of a refund notice carries the genuine cipher text', () => {
  const genuine = v2.refund(REFUND);
  const [, sealed = ''] = elements(genuine.body).find(([name]) => name === 'req_info') ?? [];
  const seen = bodies((seed) => {
    const body = recut('wechatpay-v2', genuine, seededRandom(seed))?.body;
    expect(body?.toString()).toContain(sealed);
    return body;
  });
  expect(seen.size).toBeGreaterThan(CUTS / 2);
});

test('a message of API v3 has one cut only', () => {
  expect(recut('wechatpay', v2.refund(REFUND), seededRandom(1))).toBe(null);
});
