import { expect, it } from 'vitest';
import { alipayHarness } from '../test/conformance/alipay.js';
import { describeConformance } from '../test/conformance/suite.js';
import { wechatpayHarness } from '../test/conformance/wechatpay.js';
import { wechatpayV2Harness } from '../test/conformance/wechatpay-v2.js';
import { providers } from './registry/providers.js';

const harnesses = {
  alipay: alipayHarness,
  wechatpay: wechatpayHarness,
  'wechatpay-v2 (HMAC-SHA256)': () => wechatpayV2Harness('HMAC-SHA256'),
  'wechatpay-v2 (MD5)': () => wechatpayV2Harness('MD5'),
};

for (const [title, makeHarness] of Object.entries(harnesses)) {
  describeConformance(title, makeHarness);
}

it('every provider of the registry is here, with a distinct ID', () => {
  const tested = Object.values(harnesses).map((makeHarness) => makeHarness().definition);
  expect(new Set(tested)).toEqual(new Set(providers));
  expect(new Set(providers.map(({ id }) => id)).size).toBe(providers.length);
});
