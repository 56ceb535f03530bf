import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { LetterJob } from '@payonce/orders/notifications/dead-letters/dead-letter-rows';
import { redriveDeadLetters } from '@payonce/orders/notifications/dead-letters/redrive';
import { redriveReadable } from '@payonce/orders/notifications/dead-letters/redrive-readable';
import { alertOverdue } from '@payonce/orders/notifications/held/overdue';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { redecodeStep } from '@payonce/orders/notifications/redecode/redecode';
import { flagContested } from '@payonce/orders/notifications/trades/flag-contested';
import { purgeReports } from '@payonce/orders/reports/purge';
import type { WorkerConfig } from '../config.js';
import type { QueueConsumer } from '../consume/queue-consumer.js';
import { verifyJob } from '../consume/verify-job.js';
import type { WorkerMetrics } from '../metrics/worker-metrics.js';
import { decodeStored } from './decode-stored.js';
import { findMissing } from './missing.js';
import { replayAfterRewinds } from './replay.js';
import { startRetention } from './retention.js';
import { inRounds } from './rounds.js';

/** Dead letters retried in one step: each has a separate transaction. */
const REDRIVE_LIMIT = 50;
/** Trades claimed by two merchants, flagged in one step: each order has a separate transaction. */
const CONTESTED_LIMIT = 50;
/** How soon after a claim the other order is flagged; a look at an empty index. */
const CONTESTED_INTERVAL_MS = 1_000;
/** Held events that are due: a look at an index. An event that a lock delayed is then not late. */
const HELD_INTERVAL_MS = 5_000;
/** How soon after a rewind its jobs are put back; a look at a table that is usually empty. */
const REPLAY_INTERVAL_MS = 5_000;
/** Retention runs every 40th interval: every ten minutes. */
const RETENTION_PAUSE = 40;
/** Held notifications decoded again in one step: a transaction of a second at most. */
const REDECODE_LIMIT = 50;
/** After an update, unresolved rows are looked at again every 40th interval. */
const ROUND_PAUSE = 40;

export interface MaintenanceOptions {
  readonly database: DatabaseDeps;
  readonly channels: CurrentChannels;
  readonly config: Pick<
    WorkerConfig,
    'releaseIntervalMs' | 'releaseBatchSize' | 'heldDeadlineMs' | 'retentionMs'
  >;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, 'released' | 'purged' | 'redecoded' | 'missing'>;
  readonly consumers: readonly Pick<
    QueueConsumer,
    'name' | 'promoteMisdated' | 'replayCompleted' | 'findAgain'
  >[];
  /** Whether the database is fit and the clocks agree; no step begins otherwise. */
  readonly mayRun: () => boolean;
}

/** The scheduled tasks of a worker. Each has a separate timer, so that none delays another. */
export function startMaintenance(options: MaintenanceOptions): Schedule {
  const { database, config, log, mayRun } = options;
  const every = (task: string, run: () => Promise<boolean>, limitMs = Number.POSITIVE_INFINITY) =>
    startSchedule({
      intervalMs: Math.min(limitMs, config.releaseIntervalMs),
      run: async () => mayRun() && run(),
      onError: (err) => log.warn({ err, task }, 'schedule.failed'),
    });
  const schedules = [
    every('held', () => retryHeldEvents(options), HELD_INTERVAL_MS),
    every('overdue', () => alertOverdue(database, config.heldDeadlineMs)),
    every('dead_letters', () => redriveAccepted(options)),
    every('readable_dead_letters', redriveReadableInRounds(options)),
    every(
      'contested_trades',
      () => flagContested(database, CONTESTED_LIMIT),
      CONTESTED_INTERVAL_MS,
    ),
    every('redecode', redecodeInRounds(options)),
    every('replay', replayAfterRewinds(options), REPLAY_INTERVAL_MS),
    every('missing', findMissing(options)),
    every('misdated_jobs', () => promoteMisdated(options)),
    every('old_reports', () => purgeReports(database)),
    startRetention(
      { retentionMs: config.retentionMs, intervalMs: RETENTION_PAUSE * config.releaseIntervalMs },
      options,
    ),
  ];
  return {
    async stop() {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
    },
  };
}

// Each task is one bounded step; true means that there is more to do.

async function retryHeldEvents({ database, config, metrics, log }: MaintenanceOptions) {
  const { looked, released } = await retryHeld(database, config.releaseBatchSize);
  metrics.released.inc(released);
  if (looked > 0) log.info({ looked, released }, 'held.retried');
  return looked === config.releaseBatchSize;
}

/** The dead letters that an operator wants retried. */
async function redriveAccepted({ database, channels, log }: MaintenanceOptions) {
  const verify = ({ job, jobId }: LetterJob) => verifyJob(job, jobId, channels());
  const { looked, redriven } = await redriveDeadLetters(database, REDRIVE_LIMIT, verify);
  if (looked > 0) log.info({ looked, redriven }, 'dead_letters.redriven');
  return looked === REDRIVE_LIMIT;
}

function redriveReadableInRounds({ database, channels, log }: MaintenanceOptions) {
  return inRounds(ROUND_PAUSE, async (after) => {
    const verify = ({ job, jobId }: LetterJob) => verifyJob(job, jobId, channels());
    const step = await redriveReadable(database, REDRIVE_LIMIT, after, verify);
    const { last, looked, redriven } = step;
    if (redriven > 0) log.info({ looked, redriven }, 'dead_letters.redriven');
    return { last, more: looked === REDRIVE_LIMIT };
  });
}

function redecodeInRounds({ database, channels, metrics, log }: MaintenanceOptions) {
  return inRounds(ROUND_PAUSE, async (after) => {
    const decode = decodeStored(channels());
    const { last, results } = await redecodeStep(database, REDECODE_LIMIT, after, decode);
    for (const { result } of results) metrics.redecoded.inc({ result });
    const decoded = results.filter(({ result }) => result === 'decoded').length;
    if (decoded > 0) log.info({ looked: results.length, decoded }, 'held.redecoded');
    return { last, more: results.length === REDECODE_LIMIT };
  });
}

async function promoteMisdated({ database, consumers, log }: MaintenanceOptions) {
  const now = database.clock();
  // The next run asks a queue that is down again; its consumer reports it.
  const looks = await Promise.allSettled(consumers.map((one) => one.promoteMisdated(now)));
  const promoted = looks.reduce((sum, look) => sum + ('value' in look ? look.value : 0), 0);
  if (promoted > 0) log.warn({ promoted }, 'jobs.promoted');
  return promoted > 0;
}
