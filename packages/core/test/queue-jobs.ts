import { randomUUID } from 'node:crypto';
import type { NotificationJob } from '../src/queue/job.js';

/** A job as the gateway makes them; what is in it is of no interest to the queue. */
export function someJob(notificationId: string = randomUUID()): NotificationJob {
  return {
    version: 1,
    provider: 'alipay',
    channel: 'shop',
    notificationId,
    digest: 'a'.repeat(64),
    receivedAt: '2026-11-02T08:00:00.000Z',
    bodyBase64: Buffer.from([0, 255, 128, 10]).toString('base64'),
    headers: { 'x-header': 'value' },
  };
}
