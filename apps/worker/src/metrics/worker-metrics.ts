import { isLocked } from '@payonce/core/runtime/errors';
import type { Metrics } from '@payonce/core/runtime/metrics';
import type { ApplyOutcome } from '@payonce/orders/notifications/records/notification';
import { Counter, Gauge, Histogram } from 'prom-client';
import { describeOutcome } from '../batch/batch-line.js';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

/** Metrics of a worker. Labels are closed sets without orders, channels or payers. */
export function createWorkerMetrics(metrics: Metrics) {
  const registers = [metrics];
  return { ...eventMetrics(registers), ...jobMetrics(registers), ...otherMetrics(registers) };
}

/** What became of notifications and their events. */
function eventMetrics(registers: Metrics[]) {
  return {
    events: new Counter({
      name: 'payonce_events_total',
      help: 'Events of notifications by outcome, and held events also by reason.',
      labelNames: ['outcome', 'reason'] as const,
      registers,
    }),
    copies: new Counter({
      name: 'payonce_notification_copies_total',
      help: 'Notifications that arrived again after they were processed.',
      registers,
    }),
    surplusContents: new Counter({
      name: 'payonce_surplus_contents_total',
      help: 'Unsigned contents that were not stored because their notification ID already has five. Alarm on any.',
      registers,
    }),
    released: new Counter({
      name: 'payonce_events_released_total',
      help: 'Held events that the schedule released.',
      registers,
    }),
    redecoded: new Counter({
      name: 'payonce_held_redecoded_total',
      help: 'Held notifications of the previous release that the worker decoded again, by result.',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}

/** Batches, and jobs that left the queue or went back to it. */
function jobMetrics(registers: Metrics[]) {
  return {
    batchSize: new Histogram({
      name: 'payonce_batch_notifications',
      help: 'Notifications in a batch.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'payonce_batch_seconds',
      help: 'Seconds to apply a batch.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20],
      registers,
    }),
    batchFailures: new Counter({
      name: 'payonce_batch_failures_total',
      help: 'Batches that were not applied, so that their jobs are tried again.',
      registers,
    }),
    deferrals: new Counter({
      name: 'payonce_deferrals_total',
      help: 'Jobs that went back to the queue without losing an attempt, by reason: a lock, or the store is down.',
      labelNames: ['reason'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'payonce_dead_letters_total',
      help: 'Jobs that became dead letters because they cannot succeed. Alarm on any.',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}

/** Gateways' reports, and retention. */
function otherMetrics(registers: Metrics[]) {
  return {
    missing: new Gauge({
      name: 'payonce_notifications_missing',
      help: 'Notifications that a gateway acknowledged and that are neither stored nor in a queue. Alarm on any.',
      registers,
    }),
    reports: new Counter({
      name: 'payonce_reports_total',
      help: 'Reports of gateways that the worker took, by result: counted or malformed.',
      labelNames: ['result'] as const,
      registers,
    }),
    purged: new Counter({
      name: 'payonce_purged_total',
      help: "Notifications, responses (answer) of merchants' systems, and dead letters, whose raw bytes retention deleted.",
      labelNames: ['what'] as const,
      registers,
    }),
  };
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
      count(isLocked(result.reason) ? 'locked' : 'failed');
    } else if (result.value.copy) {
      count('copies');
      metrics.copies.inc();
      if (result.value.overLimit) metrics.surplusContents.inc();
    } else {
      for (const event of result.value.events) {
        const reason = event.outcome === 'held' ? event.reason : '';
        count(describeOutcome(event));
        metrics.events.inc({ outcome: event.outcome, reason });
      }
    }
  }
  return counts;
}
