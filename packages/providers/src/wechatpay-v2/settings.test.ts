import { describe, expect, test } from 'vitest';
import { readKeys } from './keys.js';
import { wechatpayV2Settings } from './settings.js';
import { wechatpayV2 } from './wechatpay-v2.js';

const block = {
  merchantId: '1900000001',
  appIds: ['wx0000000000000001'],
  apiKeys: [{ env: 'KEY' }],
};

describe('the channel block', () => {
  test('HMAC-SHA256 and "not a partner" are the defaults', () => {
    expect(wechatpayV2Settings.parse(block)).toEqual({
      ...block,
      subMerchantIds: [],
      signType: 'HMAC-SHA256',
    });
  });

  test('MD5 must be configured', () => {
    expect(wechatpayV2Settings.parse({ ...block, signType: 'MD5' }).signType).toBe('MD5');
  });

  test.each([
    ['no merchant', { merchantId: undefined }],
    ['a merchant that is no number', { merchantId: 'wx1' }],
    ['a merchant as a number', { merchantId: 1900000001 }],
    ['no app', { appIds: [] }],
    ['an empty app', { appIds: [''] }],
    ['no key', { apiKeys: [] }],
    ['a key in the file itself', { apiKeys: ['0123456789abcdef0123456789abcdef'] }],
    ['an unknown algorithm', { signType: 'RSA' }],
    ['an unknown setting', { apiV3Keys: [] }],
  ])('%s is rejected', (_, change) => {
    expect(wechatpayV2Settings.safeParse({ ...block, ...change }).success).toBe(false);
  });
});

describe('keys', () => {
  const settings = wechatpayV2Settings.parse({
    ...block,
    apiKeys: [{ env: 'A' }, { file: 'b', retiredAt: '2026-01-01T00:00:00Z' }, { env: 'C' }],
  });

  test('every key of a wrong length is named at once, and no value is', () => {
    const values: Record<string, string> = {
      A: 'x'.repeat(31),
      b: 'y'.repeat(32),
      C: '中'.repeat(32),
    };
    const read = () =>
      readKeys(settings, (source) => values['env' in source ? source.env : source.file] ?? '');
    expect(read).toThrow(
      'apiKeys[0] (env A) must be exactly 32 bytes long; apiKeys[2] (env C) must be exactly 32 bytes long',
    );
    expect(read).not.toThrow(/xxx|中/);
  });

  test('the summary shows where a key is and when it was retired, and nothing of its content', () => {
    const provider = wechatpayV2.create(settings, () => 'k'.repeat(32));
    expect(provider.keys).toEqual([
      { name: 'env A', expiresAt: null, retiredAt: null },
      { name: 'file b', expiresAt: null, retiredAt: new Date('2026-01-01T00:00:00Z') },
      { name: 'env C', expiresAt: null, retiredAt: null },
    ]);
    expect(JSON.stringify(provider)).not.toContain('kkk');
  });
});
