import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { APPLIED, startOtherWorker } from './other-worker.js';
import { applyTheUsualWay, openUsualDatabase } from './usual-transaction.js';

// One interactive transaction for each job, as many concurrent ones as the pool has connections.
const poolSize = Number(process.env.BENCH_POOL);
const prisma = openUsualDatabase(poolSize);

async function applyOne(notification: VerifiedNotification): Promise<void> {
  const [event] = notification.events;
  if (event?.kind !== 'order' || event.amount === null) throw new Error('not a payment');
  const { orderNumber, amount } = event;
  const { channel, merchant, notificationId, digest, receivedAt, body } = notification;
  const message = { channel, merchant, notificationId, digest, receivedAt, body };
  await applyTheUsualWay(prisma, { ...message, orderNumber, amount });
}

startOtherWorker(
  async (batch) => {
    for (const notification of batch) await applyOne(notification);
    return batch.map(({ notificationId }) => ({
      status: 'fulfilled',
      value: { notificationId, ...APPLIED },
    }));
  },
  { concurrency: poolSize, batchSize: 1, batchesInFlight: poolSize },
);
