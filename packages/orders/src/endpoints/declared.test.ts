import { randomBytes } from 'node:crypto';
import { loadChannels } from '@payonce/core/config/channels';
import { ConfigError } from '@payonce/core/runtime/errors';
import { describe, expect, test } from 'vitest';
import { loadDeclaredEndpoints } from './declared.js';
import { createAddressPolicy } from './networks.js';
import { parseSecret } from './secret.js';

const secretOf = () => `whsec_${randomBytes(32).toString('base64')}`;
const secrets: Record<string, string> = {
  NEW: secretOf(),
  OLD: secretOf(),
  SHORT: 'whsec_c2hvcnQ=',
};

function load(text: string) {
  return loadDeclaredEndpoints(text, createAddressPolicy([]), (source) => {
    const value = 'env' in source ? secrets[source.env] : undefined;
    if (value === undefined) throw new Error(`env ${'env' in source ? source.env : ''} is not set`);
    return value;
  });
}

function faultsOf(text: string): readonly string[] {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const file = `
channels: {}
endpoints:
  erp:
    merchant: tea
    url: https://shop.example/hooks
    events: [order.paid]
    secrets: [{ env: NEW }, { env: OLD, retiredAt: 2026-12-01T00:00:00Z }]
  inside: { url: "handler:orders" }
`;

describe('endpoints in the channel file', () => {
  test('are read with their secrets, the newest first; merchant `default` and every type by default', () => {
    expect(load(file)).toEqual([
      {
        merchant: 'tea',
        name: 'erp',
        url: 'https://shop.example/hooks',
        eventTypes: ['order.paid'],
        secret: parseSecret(secrets.NEW ?? ''),
        previous: {
          secret: parseSecret(secrets.OLD ?? ''),
          expiresAt: new Date(Date.UTC(2026, 11, 1)),
        },
      },
      {
        merchant: 'default',
        name: 'inside',
        url: 'handler:orders',
        eventTypes: [],
        secret: null,
        previous: null,
      },
    ]);
    expect(load('channels: {}')).toEqual([]);
  });

  test('all faults are listed at once, by name and without a value', () => {
    const faults = faultsOf(`
channels: {}
endpoints:
  Bad Name: { url: "https://a.example/" }
  plain: { url: "http://shop.example/hush", secrets: [{ env: NEW }] }
  inward: { url: "https://10.0.0.1/", secrets: [{ env: SHORT }] }
  unset: { url: "https://a.example/", secrets: [{ env: NOT_SET }] }
  bare: { url: "https://a.example/" }
  many: { url: "https://a.example/", secrets: [{ env: NEW }, { env: OLD }, { env: NEW }] }
  told: { url: "https://a.example/", secrets: [whsec_hush] }
  typo: { url: "https://a.example/", secrets: [{ env: NEW }], events: [order.shipped] }
  handler: { url: "handler:x", secrets: [{ env: NEW }] }
`);
    for (const name of [
      'endpoints.(a name that is not a-z',
      'endpoints.plain.url: must be https',
      'endpoints.inward.url: is neither a public',
      'endpoints.inward.secrets.0: is not whsec_',
      'endpoints.unset.secrets.0: env NOT_SET is not set',
      'endpoints.bare.secrets: must name one',
      'endpoints.many.secrets',
      'endpoints.told.secrets.0',
      'endpoints.typo.events.0',
      'endpoints.handler.secrets: must be left out: a handler has none',
    ]) {
      expect(
        faults.filter((fault) => fault.startsWith(name)),
        name,
      ).toHaveLength(1);
    }
    expect(faults.join()).not.toMatch(/hush|c2hvcnQ/);
  });

  test('are not read by the gateway, and neither are their secrets', () => {
    const channels = `
channels: { shop: { provider: alipay, appId: "1", publicKeys: [] } }
endpoints: { erp: { url: nonsense, secrets: [{ env: X }] } }
`;
    const asked: unknown[] = [];
    const readSecret = (source: unknown) => {
      asked.push(source);
      return '';
    };
    expect(() => loadChannels(channels, { production: false, readSecret })).toThrow(ConfigError);
    expect(asked).toEqual([]);
  });
});
