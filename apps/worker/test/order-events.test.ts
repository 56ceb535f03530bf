import { randomBytes } from 'node:crypto';
import { ConfigError } from '@payonce/core/runtime/errors';
import type { DeclaredEndpoint } from '@payonce/orders/endpoints/declared';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { createAddressPolicy, parseNetwork } from '@payonce/orders/endpoints/networks';
import { closeOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/machine/poll';
import { type Receiver, startReceiver } from '@payonce/testkit/receiving/receiver';
import { holdLocks } from '@payonce/testkit/stores/sessions';
import { Webhook } from 'standardwebhooks';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openTestQueue, silent, type TestQueue } from './queues.js';
import {
  openTestDatabase,
  startTestWorker,
  type TestDatabase,
  type TestWorker,
} from './running.js';
import { makeShop } from './shop.js';

const shop = makeShop();
const secret = randomBytes(32);
const webhook = new Webhook(`whsec_${secret.toString('base64')}`);

let queue: TestQueue;
let database: TestDatabase;
let worker: TestWorker | undefined;
let verified: unknown[];
let server: Receiver;

beforeEach(async () => {
  [queue, database] = await Promise.all([openTestQueue('redis'), openTestDatabase()]);
  verified = [];
  server = await startReceiver(({ headers, body }, response) => {
    verified.push(webhook.verify(body, headers));
    response.writeHead(204).end();
  });
  onTestFinished(server.close);
});

const metric = async (line: string) =>
  (await (await worker?.get('/metrics'))?.text())?.includes(line);

function declared(name = 'erp', path = '/hooks'): DeclaredEndpoint {
  const url = server.url + path;
  return { merchant: 'tea', name, url, eventTypes: [], secret, previous: null };
}

const someoneWaits = () =>
  eventually(async () => {
    const rows = await database.prisma.$queryRaw<unknown[]>`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return rows.length > 0;
  });

async function start(
  encryptionKeys: EncryptionKeys | null,
  readDeclared = (): DeclaredEndpoint[] => [],
) {
  const loopback = parseNetwork('127.0.0.1');
  worker = await startTestWorker({
    queue,
    database,
    shop,
    deliveries: {
      encryptionKeys,
      readDeclared,
      policy: createAddressPolicy(loopback ? [loopback] : []),
      // Long enough that an immediate delivery proves that this process applied it.
      sizes: { concurrency: 8, perEndpoint: 8, pollMs: 60_000, drainMs: 5_000 },
      declared: [declared()],
    },
  });
  return worker;
}

test('the order event of an applied notification is sent at once to the endpoint of the channel file, signed', async () => {
  const { lines } = await start([{ id: null, key: randomBytes(32) }]);
  await eventually(() =>
    Promise.resolve(lines.some((line) => line.includes('endpoints.declared'))),
  );
  await database.register('A1');
  await queue.send(shop.jobFor(shop.payment({ orderNumber: 'A1' }).body));
  await eventually(() => Promise.resolve(verified.length === 1));
  expect(verified[0]).toMatchObject({
    type: 'order.paid',
    data: { orderNumber: 'A1', merchant: 'tea' },
  });
  await eventually(
    async () => (await metric('payonce_delivery_attempts_total{result="delivered"')) ?? false,
  );
  expect(await metric('payonce_deliveries{state="pending",process="worker"} 0')).toBe(true);
  expect(await metric('payonce_webhook_endpoints{state="enabled",process="worker"} 1')).toBe(true);
});

test('SIGHUP reads the endpoints again: a removed one receives nothing more; a faulty file changes nothing', async () => {
  let faulty = true;
  const { lines, reload } = await start([{ id: null, key: randomBytes(32) }], () => {
    if (faulty) throw new ConfigError(['endpoints.erp.url: must be https']);
    return [];
  });
  const said = (text: string) =>
    eventually(() => Promise.resolve(lines.some((line) => line.includes(text))));
  const reasons = async () =>
    (await database.prisma.webhookEndpoint.findMany()).map((row) => row.disabledReason);
  await said('endpoints.declared');
  reload();
  await said('endpoints.erp.url: must be https');
  expect(await reasons()).toEqual([null]);
  faulty = false;
  reload();
  await eventually(async () => (await reasons())[0] === 'not_in_file');
});

test('earlier order events are delivered to an endpoint that the file names first at this start', async () => {
  await database.register('A1');
  const closing = { prisma: database.prisma, log: silent, clock: () => new Date() };
  await closeOrder(closing, { merchant: 'tea', number: 'A1' });
  // Meanwhile endpoints can be read, but not created.
  const letGo = await holdLocks(database.url, 'LOCK TABLE webhook_endpoints IN SHARE MODE');
  await start([{ id: null, key: randomBytes(32) }]);
  await someoneWaits();
  await letGo();
  await eventually(() => Promise.resolve(verified.length === 1));
  expect(verified[0]).toMatchObject({ type: 'order.closed', data: { orderNumber: 'A1' } });
});

test('SIGHUP twice: the later file wins, however long the earlier one takes', async () => {
  const files = [[declared('crm'), declared('erp', '/earlier')], [declared('erp', '/later')]];
  const { lines, reload } = await start(
    [{ id: null, key: randomBytes(32) }],
    () => files.shift() ?? [],
  );
  const times = (count: number) =>
    eventually(() =>
      Promise.resolve(lines.filter((line) => line.includes('endpoints.declared')).length === count),
    );
  await times(1);
  await database.prisma.$executeRaw`
    INSERT INTO webhook_endpoints (merchant, name, url, source, secret, created_at, updated_at)
    SELECT merchant, 'crm', url, source, secret, created_at, updated_at FROM webhook_endpoints`;
  const crm = `SELECT FROM webhook_endpoints WHERE name = 'crm' FOR UPDATE`;
  const letGo = await holdLocks(database.url, crm);
  reload();
  await someoneWaits();
  reload();
  await letGo();
  await times(3);
  const erp = await database.prisma.webhookEndpoint.findFirst({ where: { name: 'erp' } });
  expect(erp?.url).toContain('/later');
});

test('without PAYONCE_ENCRYPTION_KEY the worker works, logs it, and sends nothing unsigned; with it, it sends all', async () => {
  const { lines } = await start(null);
  await database.register('A1');
  await queue.send(shop.jobFor(shop.payment({ orderNumber: 'A1' }).body));
  await eventually(async () => (await database.statusOf('A1')) === 'paid');
  const named = lines.filter((line) => line.includes('PAYONCE_ENCRYPTION_KEY'));
  expect(named.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error']);
  expect(verified).toEqual([]);
  await worker?.stop();
  await start([{ id: null, key: randomBytes(32) }]);
  await eventually(() => Promise.resolve(verified.length === 1));
  expect(verified[0]).toMatchObject({ type: 'order.paid', data: { orderNumber: 'A1' } });
});
