import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../runtime/errors.js';
import { type Channels, loadChannels, summarise } from './channels.js';

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const API_V3_KEY = 'k'.repeat(31);

const secrets: Record<string, string> = { ALIPAY_KEY: PEM, SHORT_KEY: API_V3_KEY };

function load(text: string, production = false): Channels {
  return loadChannels(text, {
    production,
    readSecret: (source) => {
      const value = 'env' in source ? secrets[source.env] : undefined;
      if (value === undefined)
        throw new Error(`env ${'env' in source ? source.env : ''} is not set`);
      return value;
    },
  });
}

function faultsOf(text: string, production = false): readonly string[] {
  try {
    load(text, production);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const GOOD = `
channels:
  shop-alipay:
    provider: alipay
    appId: "2021000000000000"
    sellerIds: ["2088000000000000"]
    publicKeys: [{ env: ALIPAY_KEY }]
`;

describe('the channel file', () => {
  test('a valid channel is loaded, and belongs to merchant `default` by default', () => {
    const channel = load(GOOD).get('shop-alipay');
    expect(channel).toMatchObject({ merchant: 'default', simulated: false });
    expect(channel?.provider.id).toBe('alipay');
  });

  test('every fault of every channel is listed at once, by name', () => {
    const faults = faultsOf(`
channels:
  Bad_Key: { provider: alipay }
  shop-paypal: { provider: paypal }
  shop-alipay: { provider: alipay, appId: "1", sellerIds: [], publicKeys: [{ env: NOT_SET }], appSecret: hush }
`);
    const text = faults.join('\n');
    expect(text).toContain('a key that is not a-z');
    expect(text).toContain(
      'channels.shop-paypal.provider: must be one of alipay, wechatpay, wechatpay-v2',
    );
    expect(text).toContain('channels.shop-alipay');
    expect(text).toContain('appSecret');
    expect(text).not.toContain('hush');
  });

  test('a missing secret is named by its source', () => {
    expect(faultsOf(GOOD.replace('ALIPAY_KEY', 'NOT_SET')).join()).toContain(
      'env NOT_SET is not set',
    );
  });

  test('a key of the wrong length is refused without showing it', () => {
    const faults = faultsOf(`
channels:
  shop-wechat:
    provider: wechatpay
    merchantId: "1900000001"
    appIds: [wx0000000000000000]
    apiV3Keys: [{ env: SHORT_KEY }]
    keys: { PUB_KEY_ID_0000000000000000000000000000: { env: ALIPAY_KEY } }
`);
    expect(faults).toHaveLength(1);
    expect(faults.join()).toContain('channels.shop-wechat');
    expect(faults.join()).not.toContain(API_V3_KEY);
  });

  test('simulated channels are refused in production, and only there', () => {
    const simulated = `${GOOD}    simulated: true\n`;
    expect(faultsOf(simulated, true).join()).toContain('not allowed in production');
    expect(load(simulated).get('shop-alipay')?.simulated).toBe(true);
  });

  test('a secret pasted into a broken file is not in the error', () => {
    const faults = faultsOf('channels: { a: { apiKey: "hush-hush\n  - : : }');
    expect(faults).toEqual(['the channel file is not YAML']);
  });

  test('an empty file is a fault', () => {
    expect(faultsOf('channels: {}')).toEqual(['channels: must name at least one channel']);
  });

  test('the boot summary names keys and shows none', () => {
    const summary = JSON.stringify(summarise(load(GOOD)));
    expect(summary).toContain('ALIPAY_KEY');
    expect(summary).not.toContain('BEGIN PUBLIC KEY');
  });
});
