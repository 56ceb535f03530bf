import { createPostgresBackend, type Processor, Queue, withBackend } from 'bullmq';
import { withDeadline } from '../runtime/deadline.js';
import { AppError } from '../runtime/errors.js';
import { openBullQueue, openBullWorker } from './bull-queue.js';
import { postgresConnection, producerRedis } from './connection.js';
import { eventStream, reportJobOptions } from './job-options.js';
import type { PostgresQueueSettings, QueueSettings, RedisQueueSettings } from './queue-settings.js';
import type { GatewayReport } from './report.js';
import { targetOf } from './shards.js';

/** The second queue; its jobs are gateways' reports. */
const REPORT_QUEUE = 'gateway-reports';
/** One job at a time everywhere: one connection each is enough. */
const REPORTS = { name: REPORT_QUEUE, poolSize: 1 };
/** No process waits for a report: a hanging store is abandoned before the next report is due. */
const SEND_LIMIT_MS = 2_000;
/**
 * While no worker takes reports, they must not fill the store of the notifications. At half a
 * megabyte for the busiest second these are 100 MB at most.
 */
const MAX_WAITING = 200;

/**
 * Takes a gateway's reports. It has separate connections, so that it cannot delay notifications.
 */
export interface ReportQueue {
  /**
   * Tries each store that takes notifications, the preferred one first. An abandoned report may
   * have arrived: send the same report again, it is counted once.
   * @throws AppError `queue_unavailable`
   */
  send(report: GatewayReport): Promise<void>;
  close(): Promise<void>;
}

interface Store {
  readonly kind: QueueSettings['kind'];
  add(report: GatewayReport): Promise<void>;
  close(): Promise<void>;
}

/** @param takesNotifications whether that store is known to be up and has room */
export function openReportQueue(
  settings: readonly QueueSettings[],
  takesNotifications: (kind: QueueSettings['kind']) => boolean,
): ReportQueue {
  const stores = settings.map((one) => (one.kind === 'redis' ? inRedis(one) : inPostgres(one)));
  return {
    async send(report) {
      let cause: unknown;
      for (const store of stores.filter(({ kind }) => takesNotifications(kind))) {
        try {
          return await withDeadline(store.add(report), SEND_LIMIT_MS, `a report to ${store.kind}`);
        } catch (error) {
          cause = error;
        }
      }
      throw new AppError('queue_unavailable', { cause });
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}

export type BullReportQueue = ReturnType<typeof openBullReportQueue>;

/** For reading it. */
export function openBullReportQueue(settings: QueueSettings) {
  return openBullQueue<GatewayReport>(settings, REPORTS);
}

/** Takes reports one by one. Give it an `error` listener before anything else. */
export function openBullReportWorker(
  settings: QueueSettings,
  processor: Processor<GatewayReport, unknown>,
) {
  const options = { concurrency: 1, autorun: false };
  return openBullWorker<GatewayReport>(settings, processor, options, REPORTS);
}

function inRedis(settings: RedisQueueSettings): Store {
  const { kind, prefix } = settings;
  const redis = producerRedis(targetOf(settings));
  const queue = new Queue<GatewayReport>(REPORT_QUEUE, {
    ...eventStream,
    connection: redis,
    prefix,
    skipVersionCheck: true,
  });
  // The notifications' connection reports the same store; without a listener an error would end the
  // process.
  queue.on('error', () => {});
  redis.on('error', () => {});
  return {
    kind,
    async add(report) {
      // On a connection that is not ready an add can stay pending without end.
      if (redis.status !== 'ready') throw new AppError('queue_unavailable', { detail: 'starting' });
      await put(queue, report);
    },
    async close() {
      await queue.close();
      redis.disconnect();
    },
  };
}

/**
 * Opened on first use, which may never happen for a standby. A backend keeps a failure permanently.
 */
function inPostgres(settings: PostgresQueueSettings): Store {
  let opened: ReturnType<typeof openPostgres> | null = null;
  return {
    kind: settings.kind,
    async add(report) {
      opened ??= openPostgres(settings);
      const queue = opened;
      try {
        await put(queue, report);
      } catch (error) {
        opened = null;
        queue.close().catch(() => {});
        throw error;
      }
    },
    async close() {
      await opened?.close();
    },
  };
}

const Backed = withBackend(createPostgresBackend);

function openPostgres(settings: PostgresQueueSettings) {
  const queue = new Backed.Queue<GatewayReport>(REPORT_QUEUE, {
    connection: postgresConnection(settings, {
      poolSize: REPORTS.poolSize,
      connectTimeoutMs: 1_500,
      queryTimeoutMs: SEND_LIMIT_MS,
    }),
  });
  queue.on('error', () => {});
  return queue;
}

async function put(
  queue: Pick<Queue<GatewayReport>, 'add' | 'getJobCounts'>,
  report: GatewayReport,
): Promise<void> {
  const { wait = 0, delayed = 0 } = await queue.getJobCounts('wait', 'delayed');
  if (wait + delayed >= MAX_WAITING) {
    throw new AppError('queue_unavailable', { detail: 'no worker takes reports' });
  }
  await queue.add('report', report, { ...reportJobOptions, jobId: report.reportId });
}
