import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPrisma } from '@payonce/prisma/client';
import { eventually } from '@payonce/testkit/machine/poll';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { bareBase64, generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, deployment } from './deployed.js';

/** A gateway and a worker as deployed; the channel file changes while they run. */

const payee = { appId: '2021000000000001', sellerId: '2088000000000001' };
const keys = { old: generateRsaKeyPair(), new: generateRsaKeyPair() };
const signers = {
  old: createAlipaySigner({ privateKey: keys.old.privateKey, ...payee }),
  new: createAlipaySigner({ privateKey: keys.new.privateKey, ...payee }),
};
type Key = keyof typeof signers;

const { folder, channelsFile, log, undo, startRedis, startDatabase, startApp, end } = deployment();

function writeChannels(publicKeys: string, others = ''): void {
  const { appId, sellerId } = payee;
  writeFileSync(
    channelsFile,
    `channels: { shop: { provider: alipay, appId: "${appId}", sellerIds: ["${sellerId}"],
       publicKeys: [${publicKeys}] } }
${others}`,
  );
}

let apps: { gateway: App; worker: App };
let prisma: ReturnType<typeof createPrisma>;

beforeAll(async () => {
  writeFileSync(join(folder, 'old.pem'), bareBase64(keys.old.publicKey));
  writeFileSync(join(folder, 'new.pem'), bareBase64(keys.new.publicKey));
  writeChannels('{ file: old.pem }');
  const [redisUrl, databaseUrl] = [await startRedis(), await startDatabase()];
  prisma = createPrisma({ url: databaseUrl, poolSize: 1, applicationName: 'reload-test' });
  undo.push(() => prisma.$disconnect());
  const gateway = await startApp('gateway', { REDIS_URL: redisUrl });
  const worker = await startApp('worker', { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl });
  apps = { gateway, worker };
});
afterAll(end);

let sent = 0;
async function notify(key: Key): Promise<number | null> {
  sent += 1;
  const signed = signers[key].payment({
    orderNumber: `R${sent}`,
    trade: `T${sent}`,
    amount: 8_888n,
    paidAt: new Date(),
  });
  return (await apps.gateway.post('alipay', 'shop', signed)).status;
}

/** Several senders at once, each with Alipay's present key, until stopped. */
function load(key: () => Key) {
  const statuses: (number | null)[] = [];
  let going = true;
  const senders = Array.from({ length: 4 }, async () => {
    while (going) statuses.push(await notify(key()));
  });
  return {
    statuses,
    async end() {
      going = false;
      await Promise.all(senders);
    },
  };
}

const countOf = (name: string, text: string) =>
  readFileSync(log(name), 'utf8').split(`"msg":"${text}`).length - 1;

/** Workers first: they must be able to verify what a gateway accepts with a new key. */
async function reload(text: string): Promise<void> {
  for (const name of ['worker', 'gateway'] as const) {
    const before = countOf(name, text);
    apps[name].child.child.kill('SIGHUP');
    await eventually(() => expect(countOf(name, text)).toBe(before + 1));
  }
}

test('a key is rotated under load without a failed request, and the old one is refused once it is retired', async () => {
  let key: Key = 'old';
  const traffic = load(() => key);
  const more = async () => {
    const enough = traffic.statuses.length + 20;
    await eventually(() => expect(traffic.statuses.length).toBeGreaterThan(enough));
  };
  await more();
  writeChannels('{ file: old.pem }, { file: new.pem }');
  await reload('channels.reloaded');
  await more();
  key = 'new';
  await more();
  await traffic.end();
  expect(new Set(traffic.statuses)).toEqual(new Set([200]));

  const retiredAt = new Date().toISOString();
  writeChannels(`{ file: old.pem, retiredAt: ${retiredAt} }, { file: new.pem }`);
  await reload('channels.reloaded');
  expect([await notify('old'), await notify('new')]).toEqual([401, 200]);

  const acknowledged = traffic.statuses.length + 1;
  await eventually(async () => expect(await prisma.notification.count()).toBe(acknowledged));
  expect(await prisma.deadLetter.count()).toBe(0);
});

test('a broken file changes nothing, names its faults and raises an alarm; the next good one ends it', async () => {
  const successful = /payonce_channels_reload_successful\{[^}]*\} (\d)/;
  const states = () =>
    Promise.all(
      [apps.gateway, apps.worker].map(
        async ({ privately }) => successful.exec((await privately('/metrics')).text)?.[1],
      ),
    );
  writeChannels('{ file: new.pem }, { file: missing.pem }');
  await reload('channels.reload_failed');
  expect(await states()).toEqual(['0', '0']);
  expect(readFileSync(log('gateway'), 'utf8')).toContain('file missing.pem cannot be read');
  expect(await notify('new')).toBe(200);
  writeChannels('{ file: new.pem }', 'endpoints: { erp: { url: "handler:erp" } }');
  await reload('channels.reloaded');
  expect(await states()).toEqual(['1', '1']);
  await eventually(async () =>
    expect(await prisma.webhookEndpoint.findMany()).toMatchObject([{ url: 'handler:erp' }]),
  );
  expect(await notify('new')).toBe(200);
});
