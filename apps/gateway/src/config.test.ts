import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@payonce/core/runtime/errors';
import { testChannels } from '@payonce/testkit/channels/test-channels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from './config.js';

const folder = mkdtempSync(join(tmpdir(), 'payonce-config-'));
let channelsFile = '';
beforeAll(async () => {
  ({ channelsFile } = await testChannels(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('it listens on this machine alone by default', () => {
  const config = readConfig({ REDIS_URL: 'redis://h', PAYONCE_CHANNELS_FILE: channelsFile });
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 8600,
    privateHost: '127.0.0.1',
    privatePort: 8601,
    trustedProxies: [],
  });
  expect([...config.channels.keys()]).toEqual(['sim-alipay', 'sim-wechat', 'sim-wechat-v2']);
});

test('the address of the orders does not reach it, even if it is set', () => {
  const env = { REDIS_URL: 'redis://h', PAYONCE_CHANNELS_FILE: channelsFile };
  const config = readConfig({ ...env, DATABASE_URL: 'postgres://orders' });
  expect(JSON.stringify(config)).not.toContain('orders');
});

test('all faults are reported at once: ports, proxies, queue, channel file', () => {
  const broken = join(folder, 'broken.yaml');
  writeFileSync(broken, 'channels: { shop: { provider: paypal } }');
  const faults = faultsOf({
    PAYONCE_PORT: 'http',
    PAYONCE_PRIVATE_PORT: '70000',
    PAYONCE_TRUSTED_PROXIES: '10.0.0.0/8,everyone',
    PAYONCE_LOG_LEVEL: 'loud',
    PAYONCE_QUEUE: 'kafka',
    PAYONCE_CHANNELS_FILE: broken,
  });
  for (const name of [
    'PAYONCE_PORT',
    'PAYONCE_PRIVATE_PORT',
    'PAYONCE_TRUSTED_PROXIES',
    'PAYONCE_LOG_LEVEL',
    'PAYONCE_QUEUE',
    'channels.shop',
  ]) {
    expect(faults.filter((fault) => fault.startsWith(name))).toHaveLength(1);
  }
});

test('a missing channel file is a fault like any other', () => {
  const faults = faultsOf({ REDIS_URL: 'redis://h', PAYONCE_CHANNELS_FILE: join(folder, 'none') });
  expect(faults).toEqual(['PAYONCE_CHANNELS_FILE: the file cannot be read']);
});

test('simulated channels are refused in production', () => {
  const faults = faultsOf({
    REDIS_URL: 'redis://h',
    PAYONCE_CHANNELS_FILE: channelsFile,
    NODE_ENV: 'production',
  });
  expect(faults).toHaveLength(3);
});

test.each(['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '10.0.0.1, 10.0.0.2'])(
  'a proxy may be %s',
  (PAYONCE_TRUSTED_PROXIES) => {
    const env = { REDIS_URL: 'redis://h', PAYONCE_CHANNELS_FILE: channelsFile };
    expect(faultsOf({ ...env, PAYONCE_TRUSTED_PROXIES })).toEqual([]);
  },
);

test.each(['true', '*', 'proxy.internal', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0'])(
  'a proxy may not be %s',
  (PAYONCE_TRUSTED_PROXIES) => {
    const env = { REDIS_URL: 'redis://h', PAYONCE_CHANNELS_FILE: channelsFile };
    expect(faultsOf({ ...env, PAYONCE_TRUSTED_PROXIES })).toHaveLength(1);
  },
);
