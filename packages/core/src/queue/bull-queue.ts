import { createPostgresBackend, type Processor, Queue, Worker, withBackend } from 'bullmq';
import { withDeadline } from '../runtime/deadline.js';
import { consumerRedis, postgresConnection, readerRedis } from './connection.js';
import { NOTIFICATION_QUEUE, type NotificationJob } from './job.js';
import { consumerSettings, eventStream, type KeepCompleted } from './job-options.js';
import type { QueueSettings } from './queue-settings.js';
import { targetOf } from './shards.js';

const Backed = withBackend(createPostgresBackend);

export type BullQueue<Data = NotificationJob> = ReturnType<typeof openBullQueue<Data>>;
export type BullWorker<Data = NotificationJob> = ReturnType<typeof openBullWorker<Data>>;

/** Selects a queue other than the notifications'. */
interface QueueChoice {
  readonly name: string;
  /** Connections in PostgreSQL; a worker has one more, for LISTEN. */
  readonly poolSize: number;
}

const NOTIFICATIONS: QueueChoice = { name: NOTIFICATION_QUEUE, poolSize: 4 };

/** BullMQ's Queue on the configured store, for reading it or removing from it. */
export function openBullQueue<Data = NotificationJob>(
  settings: QueueSettings,
  { name, poolSize }: QueueChoice = NOTIFICATIONS,
) {
  if (settings.kind === 'redis') {
    return new Queue<Data>(name, {
      ...eventStream,
      connection: readerRedis(targetOf(settings)),
      prefix: settings.prefix,
    });
  }
  return new Backed.Queue<Data>(name, {
    connection: postgresConnection(settings, {
      poolSize,
      connectTimeoutMs: 2_000,
      queryTimeoutMs: 10_000,
    }),
  });
}

/**
 * BullMQ's Worker on the configured store, with the settings that the producers rely on (backoff,
 * stalled jobs). Give it an `error` listener before anything else.
 */
export function openBullWorker<Data = NotificationJob>(
  settings: QueueSettings,
  processor: Processor<Data, unknown>,
  options: {
    readonly concurrency: number;
    readonly autorun?: boolean;
    readonly removeOnComplete?: KeepCompleted;
  },
  { name, poolSize }: QueueChoice = NOTIFICATIONS,
) {
  if (settings.kind === 'redis') {
    return new Worker<Data, unknown>(name, processor, {
      ...consumerSettings,
      ...options,
      connection: consumerRedis(targetOf(settings)),
      prefix: settings.prefix,
    });
  }
  return new Backed.Worker<Data, unknown>(name, processor, {
    ...consumerSettings,
    ...options,
    connection: postgresConnection(settings, {
      poolSize,
      connectTimeoutMs: 10_000,
      queryTimeoutMs: 30_000,
    }),
  });
}

/**
 * Opens until it works or `signal` aborts. BullMQ's PostgreSQL backend keeps its first failure
 * permanently, so a failed one is closed and a new one is opened.
 * @throws the error of the last attempt, once aborted
 */
export async function openUntilReady<
  Part extends { waitUntilReady(): Promise<unknown>; close(): Promise<void> },
>(
  open: () => Part,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<Part> {
  const givenUp = new Promise<never>((_, reject) => {
    const stop = () => reject(new Error('given up'));
    if (options.signal.aborted) stop();
    options.signal.addEventListener('abort', stop, { once: true });
  });
  givenUp.catch(() => {});
  for (;;) {
    const part = open();
    try {
      const ready = Promise.race([part.waitUntilReady(), givenUp]);
      await withDeadline(ready, 10_000, 'starting the queue');
      return part;
    } catch (error) {
      part.close().catch(() => {});
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
