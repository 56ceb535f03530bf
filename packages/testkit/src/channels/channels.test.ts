import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ensureSimulatedChannels, loadSimulatedChannels } from './channels.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'payonce-testkit-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function contents(): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(path, 'utf8')]));
}

test('a second start keeps every key', async () => {
  await ensureSimulatedChannels(directory);
  const first = contents();
  await ensureSimulatedChannels(directory);
  expect(contents()).toEqual(first);
  expect(Object.keys(first)).toHaveLength(9);
});

test('only the owner can read keys and channel file', async () => {
  await ensureSimulatedChannels(directory);
  for (const path of Object.keys(contents())) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('the channel file names all three channels as simulated, by absolute path, and never a private key', async () => {
  const { channelsFile } = await ensureSimulatedChannels(directory);
  const text = readFileSync(channelsFile, 'utf8');
  const certificate = join(directory, 'secrets/sim-wechat-platform-cert.pem');
  const serial = new X509Certificate(readFileSync(certificate)).serialNumber;
  expect(text).not.toContain('provider-keys');
  expect(parse(text)).toEqual({
    channels: {
      'sim-alipay': {
        provider: 'alipay',
        merchant: 'demo',
        simulated: true,
        appId: '2021000000000001',
        sellerIds: ['2088000000000001'],
        publicKeys: [{ file: join(directory, 'secrets/sim-alipay-public.pem') }],
        signType: 'RSA2',
      },
      'sim-wechat': {
        provider: 'wechatpay',
        merchant: 'demo',
        simulated: true,
        merchantId: '1900000001',
        appIds: ['wx0000000000000001'],
        apiV3Keys: [{ file: join(directory, 'secrets/sim-wechat-apiv3-key') }],
        keys: {
          [serial]: { file: certificate },
          PUB_KEY_ID_0119000000012026010100000001: {
            file: join(directory, 'secrets/sim-wechat-public.pem'),
          },
        },
      },
      'sim-wechat-v2': {
        provider: 'wechatpay-v2',
        merchant: 'demo',
        simulated: true,
        merchantId: '1900000001',
        appIds: ['wx0000000000000001'],
        apiKeys: [{ file: join(directory, 'secrets/sim-wechat-v2-key') }],
        signType: 'HMAC-SHA256',
      },
    },
  });
});

test('a lost private key is replaced together with all public keys that belong to it', async () => {
  await ensureSimulatedChannels(directory);
  const before = contents();
  rmSync(join(directory, 'provider-keys/sim-wechat-platform-private.pem'));
  const { signers } = await ensureSimulatedChannels(directory);
  const certificate = join(directory, 'secrets/sim-wechat-platform-cert.pem');
  expect(readFileSync(certificate, 'utf8')).not.toBe(before[certificate]);
  const sent = signers['sim-wechat'].bytes(Buffer.from('{}'));
  expect(sent.headers['wechatpay-serial']).toBe(
    new X509Certificate(readFileSync(certificate)).serialNumber,
  );
});

test('loading without a first start names the missing file', () => {
  expect(() => loadSimulatedChannels(directory)).toThrow('provider-keys/sim-alipay-private.pem');
});
