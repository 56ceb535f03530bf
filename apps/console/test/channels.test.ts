import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { call, startConsole } from './support.js';

const SERIAL = '5157F09EFDC096DE15EBE81A47057A7200000000';
const FILE = `
channels:
  shop-alipay:
    provider: alipay
    appId: "2021000000000000"
    sellerIds: ["2088000000000000"]
    publicKeys: [{ file: secrets/alipay.pem }]
  shop-wechat:
    provider: wechatpay
    merchant: shop
    merchantId: "1900000001"
    appIds: [wx0000000000000000]
    apiV3Keys: [{ env: NEW_KEY }, { env: OLD_KEY, retiredAt: 2026-12-01T00:00:00Z }]
    keys: { ${SERIAL}: { file: secrets/platform.pem } }
endpoints: {}
`;

async function consoleWith(text: string | null) {
  const folder = await mkdtemp(join(tmpdir(), 'payonce-channels-'));
  const channelsFile = join(folder, 'channels.yaml');
  if (text !== null) await writeFile(channelsFile, text);
  const server = await startConsole({ channelsFile });
  onTestFinished(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  return { server, channelsFile };
}

it('channels are shown as the file has them; keys by name, with the expiry that gateways report', async () => {
  // The files and variables with the keys are absent: the answer needed none of them.
  const { server, channelsFile } = await consoleWith(FILE);
  const expiresAt = '2027-03-01T00:00:00.000Z';
  const keys = [{ name: SERIAL, expiresAt, retired: false }];
  const channels = [{ channel: 'shop-wechat', provider: 'wechatpay', keys }];
  const state = { stores: [], channels, clockSkewSeconds: {} };
  const at = new Date();
  await server.prisma.gateway.create({
    data: { id: randomUUID(), startedAt: at, seenAt: at, state },
  });
  const never = { retiredAt: null, expiresAt: null };
  expect((await call(server, 'GET', '/channels')).json().channels).toEqual([
    {
      key: 'shop-alipay',
      provider: 'alipay',
      merchant: 'default',
      simulated: false,
      notifyPath: '/notify/alipay/shop-alipay',
      settings: {
        appId: '2021000000000000',
        sellerIds: ['2088000000000000'],
        certificates: [],
        signType: 'RSA2',
      },
      keys: [{ setting: 'publicKeys', name: 'file secrets/alipay.pem', ...never }],
    },
    {
      key: 'shop-wechat',
      provider: 'wechatpay',
      merchant: 'shop',
      simulated: false,
      notifyPath: '/notify/wechatpay/shop-wechat',
      settings: {
        merchantId: '1900000001',
        subMerchantIds: [],
        appIds: ['wx0000000000000000'],
        timestampToleranceSeconds: 300,
      },
      keys: [
        { setting: 'apiV3Keys', name: 'env NEW_KEY', ...never },
        {
          ...{ setting: 'apiV3Keys', name: 'env OLD_KEY' },
          ...{ retiredAt: '2026-12-01T00:00:00.000Z', expiresAt: null },
        },
        { setting: 'keys', name: SERIAL, retiredAt: null, expiresAt },
      ],
    },
  ]);

  // The next request reads the present file.
  await writeFile(channelsFile, FILE.replace('shop-alipay', 'other-alipay'));
  const later = await call(server, 'GET', '/channels');
  expect(later.json().channels[0].key).toBe('other-alipay');
});

it.each([
  ['is not there', null, 'cannot be read'],
  ['is no YAML', 'channels: { a: { apiKey: "hush-hush\n - : : }', 'not YAML'],
  [
    'names no provider',
    'channels: { shop: { provider: paypal, secret: hush-hush } }',
    'shop.provider',
  ],
  ['holds a secret itself', FILE.replace('{ env: NEW_KEY }', 'hush-hush'), 'shop-wechat.apiV3Keys'],
])('a file that %s gives 503, by name and without its content', async (_, text, named) => {
  const { server } = await consoleWith(text);
  const answer = await call(server, 'GET', '/channels');
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'channel_file_unusable']);
  expect(answer.json().detail).toContain(named);
  expect(answer.body).not.toContain('hush-hush');
});

it('without PAYONCE_CHANNELS_FILE the answer says so', async () => {
  const server = await startConsole();
  onTestFinished(() => server.close());
  const answer = await call(server, 'GET', '/channels');
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'not_configured']);
  expect(answer.json().detail).toContain('PAYONCE_CHANNELS_FILE');
});
