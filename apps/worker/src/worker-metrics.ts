import { withDeadline } from '@payonce/core/runtime/deadline';
import { isLocked } from '@payonce/core/runtime/errors';
import type { Metrics } from '@payonce/core/runtime/metrics';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { countOpenDeadLetters } from '@payonce/orders/notifications/dead-letters';
import type { ApplyOutcome } from '@payonce/orders/notifications/notification';
import { countHeld, countOverdue } from '@payonce/orders/notifications/overdue';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { BatchAges } from './batch-ages.js';
import type { Source } from './source.js';
import { WAIT_REASONS, type Waits } from './waits.js';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** Metrics of a worker. Labels are closed sets without orders, channels or payers. */
export function createWorkerMetrics(metrics: Metrics) {
  const registers = [metrics];
  return {
    events: new Counter({
      name: 'payonce_events_total',
      help: 'Events of notifications by outcome; held ones by reason.',
      labelNames: ['outcome', 'reason'] as const,
      registers,
    }),
    copies: new Counter({
      name: 'payonce_notification_copies_total',
      help: 'Notifications that arrived again after they were processed.',
      registers,
    }),
    batchSize: new Histogram({
      name: 'payonce_batch_notifications',
      help: 'Notifications applied in one call.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'payonce_batch_seconds',
      help: 'Time to apply a batch.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20],
      registers,
    }),
    batchFailures: new Counter({
      name: 'payonce_batch_failures_total',
      help: 'Batches that were not applied; their jobs are tried again.',
      registers,
    }),
    deferrals: new Counter({
      name: 'payonce_deferrals_total',
      help: 'Jobs put back without using an attempt: their rows are locked, or the store is down.',
      labelNames: ['reason'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'payonce_dead_letters_total',
      help: 'Jobs moved to the dead letters because they cannot succeed. Alarm on any.',
      labelNames: ['reason'] as const,
      registers,
    }),
    reports: new Counter({
      name: 'payonce_reports_total',
      help: "Gateways' reports, counted or malformed.",
      labelNames: ['result'] as const,
      registers,
    }),
    purged: new Counter({
      name: 'payonce_purged_total',
      help: "Notifications, and responses of merchants' systems, whose raw bytes were deleted after PAYONCE_RETENTION_DAYS.",
      labelNames: ['what'] as const,
      registers,
    }),
    redecoded: new Counter({
      name: 'payonce_held_redecoded_total',
      help: 'Held notifications of the previous release, by the result of decoding them again.',
      labelNames: ['result'] as const,
      registers,
    }),
    surplusContents: new Counter({
      name: 'payonce_surplus_contents_total',
      help: 'Unsigned contents beyond the five that are stored under one notification ID. Alarm on any.',
      registers,
    }),
    released: new Counter({
      name: 'payonce_events_released_total',
      help: 'Held events that the schedule released.',
      registers,
    }),
  };
}

/** Jobs by state, computed on each scrape. A queue that does not answer has no numbers. */
export function watchQueues(metrics: Metrics, sources: readonly Source[]): void {
  new Gauge({
    name: 'payonce_queue_jobs',
    help: 'Jobs in the queue by state.',
    labelNames: ['queue', 'state'] as const,
    registers: [metrics],
    async collect() {
      this.reset();
      for (const source of sources) {
        const counts = await source.counts().catch(() => ({}));
        for (const [state, jobs] of Object.entries(counts)) {
          this.set({ queue: source.name, state }, jobs);
        }
      }
    },
  });
}

/** The ages of batches, and of jobs that wait for a lock or for the store. */
export function watchWaits(
  metrics: Metrics,
  { waits, batches }: { readonly waits: Waits; readonly batches: BatchAges },
): void {
  const registers = [metrics];
  new Gauge({
    name: 'payonce_batch_oldest_seconds',
    help: 'Age of the oldest batch in progress; 0 when there is none.',
    registers,
    collect() {
      this.set(batches.oldestMs() / 1_000);
    },
  });
  new Gauge({
    name: 'payonce_wait_oldest_seconds',
    help: 'Longest current wait of a job for a lock or the store; 0 when none waits.',
    labelNames: ['reason'] as const,
    registers,
    collect() {
      for (const reason of WAIT_REASONS) {
        this.set({ reason }, waits.of(reason).oldestMs / 1_000);
      }
    },
  });
}

/** A scrape waits a few seconds; a hanging database has no numbers. */
const COUNT_LIMIT_MS = 2_000;

/** The items that wait for a person, computed on each scrape. */
export function watchHeld(metrics: Metrics, database: DatabaseDeps, deadlineMs: number): void {
  new Gauge({
    name: 'payonce_events_held',
    help: 'Held events by reason.',
    labelNames: ['reason'] as const,
    registers: [metrics],
    async collect() {
      this.reset();
      const counts = await inTime(countHeld(database));
      for (const reason of HOLD_REASONS) if (counts) this.set({ reason }, counts[reason] ?? 0);
    },
  });
  watchCount(metrics, {
    name: 'payonce_events_overdue',
    help: 'Events that have waited for their order beyond the deadline. Alarm on any.',
    count: () => countOverdue(database, deadlineMs),
  });
  watchCount(metrics, {
    name: 'payonce_dead_letters_open',
    help: 'Dead letters that are neither applied nor dismissed. Alarm on any.',
    count: () => countOpenDeadLetters(database),
  });
}

function watchCount(
  metrics: Metrics,
  { name, help, count }: { name: string; help: string; count: () => Promise<number> },
): void {
  new Gauge({
    name,
    help,
    registers: [metrics],
    async collect() {
      // Absent rather than zero: zero would mean that nothing waits.
      this.remove();
      const counted = await inTime(count());
      if (counted !== null) this.set(counted);
    },
  });
}

/** A database that does not answer has no numbers. */
export function inTime<T>(asked: Promise<T>): Promise<T | null> {
  return withDeadline(asked, COUNT_LIMIT_MS, 'counting').catch(() => null);
}

/** Counts a batch, and returns the numbers for its log line. */
export function countResults(
  metrics: WorkerMetrics,
  results: readonly PromiseSettledResult<ApplyOutcome>[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const result of results) {
    if (result.status === 'rejected') {
      count(isLocked(result.reason) ? 'locked' : 'refused');
    } else if (result.value.copy) {
      count('copies');
      metrics.copies.inc();
      if (result.value.surplus) metrics.surplusContents.inc();
    } else {
      for (const event of result.value.events) {
        const reason = event.outcome === 'held' ? event.reason : '';
        count(reason ? `held_${reason}` : event.outcome);
        metrics.events.inc({ outcome: event.outcome, reason });
      }
    }
  }
  return counts;
}
