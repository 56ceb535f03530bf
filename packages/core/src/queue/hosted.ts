import { createPostgresBackend, type Processor, Queue, Worker, withBackend } from 'bullmq';
import { withDeadline } from '../deadline.js';
import { consumerRedis, postgresConnection, readerRedis } from './connection.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { consumerSettings } from './job-options.js';
import type { QueueSettings } from './queue-settings.js';

const Backed = withBackend(createPostgresBackend);

export type HostedQueue = ReturnType<typeof openHostedQueue>;
export type HostedWorker = ReturnType<typeof openHostedWorker>;

/** BullMQ's own Queue on the configured store, for those who look at it or remove from it. */
export function openHostedQueue(settings: QueueSettings) {
  if (settings.kind === 'redis') {
    return new Queue<NotificationJob>(NOTIFICATION_QUEUE, {
      connection: readerRedis(settings.url),
      prefix: settings.prefix,
    });
  }
  return new Backed.Queue<NotificationJob>(NOTIFICATION_QUEUE, {
    connection: postgresConnection(settings, {
      poolSize: 4,
      connectTimeoutMs: 2_000,
      queryTimeoutMs: 10_000,
    }),
  });
}

/**
 * BullMQ's own Worker on the configured store, with the settings that the producers count on (backoff,
 * stalled jobs). Give it an `error` listener before anything else.
 */
export function openHostedWorker(
  settings: QueueSettings,
  processor: Processor<NotificationJob, unknown>,
  options: { readonly concurrency: number; readonly autorun?: boolean },
) {
  if (settings.kind === 'redis') {
    return new Worker<NotificationJob, unknown>(NOTIFICATION_QUEUE, processor, {
      ...consumerSettings,
      ...options,
      connection: consumerRedis(settings.url),
      prefix: settings.prefix,
    });
  }
  return new Backed.Worker<NotificationJob, unknown>(NOTIFICATION_QUEUE, processor, {
    ...consumerSettings,
    ...options,
    connection: postgresConnection(settings, {
      poolSize: 4,
      connectTimeoutMs: 10_000,
      queryTimeoutMs: 30_000,
    }),
  });
}

/**
 * Opens until it works or `signal` aborts. BullMQ's PostgreSQL backend remembers its first failure for ever,
 * so a failed start is closed and a new one is opened.
 * @throws what the last attempt threw, once aborted
 */
export async function openUntilReady<
  Hosted extends { waitUntilReady(): Promise<unknown>; close(): Promise<void> },
>(
  open: () => Hosted,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<Hosted> {
  const givenUp = new Promise<never>((_, reject) => {
    const stop = () => reject(new Error('given up'));
    if (options.signal.aborted) stop();
    options.signal.addEventListener('abort', stop, { once: true });
  });
  givenUp.catch(() => {});
  for (;;) {
    const hosted = open();
    try {
      const ready = Promise.race([hosted.waitUntilReady(), givenUp]);
      await withDeadline(ready, 10_000, 'starting the queue');
      return hosted;
    } catch (error) {
      hosted.close().catch(() => {});
      if (options.signal.aborted) throw error;
      options.onFailure(error);
      await pause(1_000, options.signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
