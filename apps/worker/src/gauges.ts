/** Figures that are computed on each scrape. */
import type { Metrics } from '@payonce/core/runtime/metrics';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { countRewinds } from '@payonce/orders/database/rewinds';
import { countOpenDeadLetters } from '@payonce/orders/notifications/dead-letters/dead-letters';
import { countHeld, countOverdue } from '@payonce/orders/notifications/held/overdue';
import { Gauge } from 'prom-client';
import type { BatchAges } from './batch/batch-ages.js';
import { type JobWaits, WAIT_REASONS } from './consume/job-waits.js';
import type { QueueConsumer } from './consume/queue-consumer.js';
import { inTime } from './metrics/in-time.js';

/** Jobs by state, computed on each scrape. A queue that does not respond has no numbers. */
export function watchQueues(metrics: Metrics, consumers: readonly QueueConsumer[]): void {
  new Gauge({
    name: 'payonce_queue_jobs',
    help: 'Jobs in the queue, by store and by state: wait, active, delayed or failed.',
    labelNames: ['queue', 'state'] as const,
    registers: [metrics],
    async collect() {
      this.reset();
      for (const consumer of consumers) {
        const counts = await consumer.counts().catch(() => ({}));
        for (const [state, jobs] of Object.entries(counts)) {
          this.set({ queue: consumer.name, state }, jobs);
        }
      }
    },
  });
}

/** The ages of batches, and of jobs that wait for a lock or for the store. */
export function watchWaits(
  metrics: Metrics,
  { waits, batches }: { readonly waits: JobWaits; readonly batches: BatchAges },
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

/** How often the database went back to an earlier state, computed on each scrape. */
export function watchRewindCount(metrics: Metrics, { prisma }: DatabaseDeps): void {
  watchCount(metrics, {
    name: 'payonce_database_rewinds',
    help: 'How often PostgreSQL went back to an earlier state. Alarm when it grows.',
    count: () => countRewinds(prisma),
  });
}

/** The items that wait for a person, computed on each scrape. */
export function watchHeld(metrics: Metrics, database: DatabaseDeps, deadlineMs: number): void {
  new Gauge({
    name: 'payonce_events_held',
    help: 'Held events, by reason.',
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
