import type { CurrentChannels } from '@payonce/core/config/live-channels';
import { jobIdFor } from '@payonce/core/queue/job';
import type { Log } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import {
  type AcknowledgedContent,
  isBuried,
  nextAcknowledged,
  placeToLook,
  withoutNotification,
} from '@payonce/orders/reports/unstored';
import type { QueueConsumer } from '../consume/queue-consumer.js';
import type { WorkerMetrics } from '../metrics/worker-metrics.js';

/** By then a worker that keeps up has applied it; a queue that still has it is asked. */
const AGE_MS = 5 * 60_000;
/** Reported contents in one step. */
const LIMIT = 1_000;
/** Suspects that are looked at again; beyond that, something worse than one lost job goes on. */
const MOST_SUSPECTS = 1_000;
/** By then no provider sends it again, and its report is deleted soon. */
const GIVE_UP_MS = 6 * 86_400_000;

export interface MissingOptions {
  readonly database: DatabaseDeps;
  readonly channels: CurrentChannels;
  readonly consumers: readonly Pick<QueueConsumer, 'findAgain'>[];
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, 'missing'>;
}

interface Suspect extends AcknowledgedContent {
  reported: boolean;
}

/**
 * Looks for what was acknowledged and is stored nowhere: no notification, no job that waits, no
 * dead letter with its bytes. Somebody who writes to the queue can put a job under the ID of a
 * genuine one, which the queue then ignores; and a store can lose what it confirmed. A completed
 * job is applied again.
 * @returns one step, for a schedule
 */
export function findMissing(options: MissingOptions): () => Promise<boolean> {
  const { database, log, metrics } = options;
  const { prisma, clock } = database;
  let after: bigint | null = null;
  let suspects: Suspect[] = [];

  async function addSuspects(now: number): Promise<boolean> {
    after = await placeToLook(prisma, after);
    const next = await nextAcknowledged(prisma, after, LIMIT);
    const young = next.findIndex(({ lastAt }) => now - lastAt.getTime() < AGE_MS);
    const old = young === -1 ? next : next.slice(0, young);
    const unstored = await withoutNotification(prisma, old);
    suspects.push(...unstored.map((content) => ({ ...content, reported: false })));
    suspects = suspects.slice(-MOST_SUSPECTS);
    after = old.at(-1)?.id ?? after;
    return old.length === LIMIT;
  }

  return async () => {
    const now = clock().getTime();
    const more = await addSuspects(now);
    const left = new Set(await withoutNotification(prisma, suspects));
    for (const one of suspects) {
      if (one.reported && !left.has(one)) log.info(nameOf(one), 'notification.found');
    }
    suspects = [...left].filter(({ lastAt }) => now - lastAt.getTime() < GIVE_UP_MS);
    for (const suspect of suspects) {
      if (suspect.reported || !(await isNowhere(options, suspect))) continue;
      suspect.reported = true;
      const acknowledgedAt = suspect.lastAt;
      log.error({ ...nameOf(suspect), acknowledgedAt }, 'notification.missing');
    }
    metrics.missing.set(suspects.filter(({ reported }) => reported).length);
    return more;
  };
}

function nameOf({ channel, notificationId }: Suspect) {
  return { channel, notificationId };
}

/** @throws when a queue does not respond: it may have the job */
async function isNowhere(
  { database, channels, consumers }: MissingOptions,
  content: AcknowledgedContent,
): Promise<boolean> {
  const provider = channels().get(content.channel)?.provider;
  // Its jobs become dead letters, `unknown_channel`.
  if (provider === undefined) return false;
  const jobId = jobIdFor({ ...content, provider: provider.id }, content.digest);
  for (const consumer of consumers) if (await consumer.findAgain(jobId)) return false;
  return !(await isBuried(database.prisma, jobId));
}
