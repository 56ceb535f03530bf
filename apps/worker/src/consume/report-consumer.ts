import { openUntilReady } from '@payonce/core/queue/bull-queue';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { gatewayReport } from '@payonce/core/queue/report';
import { openBullReportWorker } from '@payonce/core/queue/report-queue';
import { createLifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { isUnavailable } from '@payonce/orders/database/transaction';
import { boundedJobId } from '@payonce/orders/notifications/records/dead-letter';
import { recordReport } from '@payonce/orders/reports/record';
import type { WorkerMetrics } from '../metrics/worker-metrics.js';
import { closeWithin, logErrors } from './bull-helpers.js';
import { putBack, storeDelayMs } from './defer.js';
import { createPauseControl } from './pause-control.js';
import type { QueuedJob } from './process-job.js';

export interface ReportDeps {
  readonly database: DatabaseDeps;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, 'reports'>;
}

/** A report takes milliseconds; an unfinished one is not lost. */
const CLOSE_LIMIT_MS = 2_000;

export interface Reports {
  pause(): void;
  resume(): void;
  /** Takes reports from one more queue. @returns takes no more from it */
  add(queue: QueueSettings): () => Promise<void>;
  /** Takes no more reports, and disconnects. */
  close(): Promise<void>;
}

/** Takes gateways' reports from every store, unless it is paused. */
export function consumeReports(queues: readonly QueueSettings[], deps: ReportDeps): Reports {
  const closing = new AbortController();
  const parts = queues.map((settings) => consume(settings, deps, closing.signal));
  let paused = false;
  return {
    add(queue) {
      const part = consume(queue, deps, closing.signal);
      if (paused) part.pauseControl.pause();
      parts.push(part);
      return async () => {
        parts.splice(parts.indexOf(part), 1);
        await part.close();
      };
    },
    pause() {
      paused = true;
      for (const { pauseControl } of parts) pauseControl.pause();
    },
    resume() {
      paused = false;
      for (const { pauseControl } of parts) pauseControl.resume();
    },
    async close() {
      closing.abort();
      await Promise.all(parts.map((part) => part.close()));
    },
  };
}

/** Connects, and keeps connecting. */
function consume(settings: QueueSettings, deps: ReportDeps, signal: AbortSignal) {
  const log = deps.log.child({ queue: settings.kind });
  const parts = createLifecycle(log);
  const pauseControl = createPauseControl((err) =>
    log.error({ err, jobs: 'reports' }, 'queue.consumer_stopped'),
  );
  const open = () => {
    const worker = openBullReportWorker(settings, async (job, token) => {
      await pauseControl.putBackWhilePaused(job, token);
      return countReport(deps, job, token);
    });
    logErrors(worker, log);
    return worker;
  };
  const onFailure = (err: unknown) => log.warn({ err, jobs: 'reports' }, 'queue.open_failed');
  const start = async () => {
    const worker = await openUntilReady(open, { signal, onFailure });
    parts.onStop('reports', () => closeWithin(worker, Promise.resolve(CLOSE_LIMIT_MS)));
    if (signal.aborted) return;
    pauseControl.attach(worker);
  };
  const starting = start().catch((err) =>
    log.debug({ err, jobs: 'reports' }, 'queue.open_abandoned'),
  );
  return {
    pauseControl,
    async close() {
      await starting;
      await parts.stop();
    },
  };
}

type ReportResult = { readonly counted: boolean } | { readonly no: true };

async function countReport(
  { database, log, metrics }: ReportDeps,
  job: QueuedJob,
  token: string | undefined,
): Promise<ReportResult> {
  const report = gatewayReport.safeParse(job.data);
  if (!report.success) {
    metrics.reports.inc({ result: 'malformed' });
    log.warn({ jobId: boundedJobId(job.id ?? '') }, 'report.dropped');
    return { no: true };
  }
  const counted = await recordReport(database, report.data).catch((error) => {
    if (!isUnavailable(error)) throw error;
    return putBack(job, token, storeDelayMs(Math.random()));
  });
  metrics.reports.inc({ result: 'counted' });
  return { counted };
}
