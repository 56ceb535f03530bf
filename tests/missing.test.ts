import { openBullQueue } from '@payonce/core/queue/bull-queue';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queuesOf } from '@payonce/core/queue/shards';
import { eventually } from '@payonce/testkit/machine/poll';
import { query } from '@payonce/testkit/stores/sessions';
import { expect, onTestFinished, test } from 'vitest';
import { addWorker, closeShop, DUE, openShop, type Shop, type ShopWorker } from './shop.js';

/** What gateways acknowledged, and no store has. */

const FAST = { PAYONCE_WORKER_RELEASE_INTERVAL_MS: '200' };

async function openWithQueue() {
  const shop = await openShop('redis', { worker: false });
  onTestFinished(() => closeShop(shop));
  const settings = readQueueSettings({
    ...shop.servers.redis,
    PAYONCE_QUEUE_PREFIX: shop.role,
  });
  const queue = openBullQueue(queuesOf(settings)[0]);
  queue.on('error', () => {});
  onTestFinished(() => queue.close());
  return { shop, queue };
}

const payment = (shop: Shop, orderNumber: string) =>
  shop.signers['sim-alipay'].payment({
    orderNumber,
    trade: `T${orderNumber}`,
    amount: DUE,
    paidAt: new Date(),
  });

const statusOf = async ({ prisma }: Shop, number: string) =>
  (await prisma.order.findFirst({ where: { number } }))?.status;

const missing = async (worker: ShopWorker) =>
  /^payonce_notifications_missing\{.*\} (\d+)$/m.exec(
    await (await worker.get('/metrics')).text(),
  )?.[1];

/** The reports are in, and older than workers wait. */
async function age(shop: Shop): Promise<void> {
  await eventually(async () => (await shop.prisma.reportedCopies.count()) > 0);
  await query(
    shop.database.url,
    `UPDATE reported_copies SET last_at = last_at - interval '10 minutes'`,
  );
}

test('a job planted under a genuine ID raises an alarm, and the re-sent notification is applied', async () => {
  const { shop, queue } = await openWithQueue();
  await shop.register('P1');
  const genuine = payment(shop, 'P1');
  // What the gateway will write, as anybody can compute it who has the content.
  const other = await openWithQueue();
  await other.shop.post('sim-alipay', genuine);
  const [seen] = await other.queue.getJobs(['waiting']);
  await queue.add('alipay', { ...seen?.data, bodyText: 'forged=1' } as never, {
    jobId: seen?.id ?? '',
  });

  expect((await shop.post('sim-alipay', genuine)).status).toBe(200);
  const worker = await addWorker(shop, 'redis', FAST);
  await eventually(async () => (await shop.prisma.deadLetter.count()) === 1);
  await age(shop);
  await eventually(async () => (await missing(worker)) === '1');
  expect(await statusOf(shop, 'P1')).toBe('pending');

  expect((await shop.post('sim-alipay', genuine)).status).toBe(200);
  await eventually(async () => (await statusOf(shop, 'P1')) === 'paid');
  await eventually(async () => (await missing(worker)) === '0');
}, 60_000);

test('a completed job whose notification is not stored is applied again', async () => {
  const { shop } = await openWithQueue();
  const worker = await addWorker(shop, 'redis', FAST);
  expect((await shop.post('sim-alipay', payment(shop, 'C1'))).status).toBe(200);
  await eventually(async () => (await shop.prisma.notification.count()) === 1);
  await query(
    shop.database.url,
    'DELETE FROM order_events',
    'DELETE FROM notification_events',
    'DELETE FROM notifications',
  );
  await age(shop);
  await eventually(async () => (await shop.prisma.notification.count()) === 1);
  expect(await missing(worker)).toBe('0');
}, 60_000);

test('what still waits in a queue is not missing; what was removed from it is', async () => {
  const { shop, queue } = await openWithQueue();
  const worker = await addWorker(shop, 'redis', FAST);
  await queue.pause();
  await shop.post('sim-alipay', payment(shop, 'W1'));
  const [waits] = await queue.getJobs();
  await shop.post('sim-alipay', payment(shop, 'W2'));
  for (const job of await queue.getJobs()) if (job.id !== waits?.id) await job.remove();
  await eventually(async () => (await shop.prisma.reportedCopies.count()) === 2);
  await age(shop);
  await eventually(async () => (await missing(worker)) === '1');
  await queue.resume();
  await eventually(async () => (await shop.prisma.notification.count()) === 1);
  expect(await missing(worker)).toBe('1');
}, 60_000);
