import type { Channels } from '@payonce/core/config/channels';
import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { flagContested } from '@payonce/orders/notifications/flag-contested';
import { alertOverdue } from '@payonce/orders/notifications/overdue';
import { redecodeStep } from '@payonce/orders/notifications/redecode';
import {
  type LetterJob,
  redriveDeadLetters,
  type Verdict,
} from '@payonce/orders/notifications/redrive';
import { redriveReadable } from '@payonce/orders/notifications/redrive-readable';
import { retryHeld } from '@payonce/orders/notifications/release';
import { purgeReports } from '@payonce/orders/reports/purge';
import type { WorkerConfig } from './config.js';
import { decodeStored } from './decode-stored.js';
import { startRetention } from './retention.js';
import { inRounds } from './rounds.js';
import type { Source } from './source.js';
import { verifyJob } from './verify-job.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** Dead letters retried in one step: each has a separate transaction. */
const REDRIVE_LIMIT = 50;
/** Trades claimed by two merchants, flagged in one step: each order has a separate transaction. */
const CONTESTED_LIMIT = 50;
/** How soon after a claim the other order is flagged; a look at an empty index. */
const CONTESTED_INTERVAL_MS = 1_000;
/** Held events that are due: a look at an index. An event that a lock delayed is then not late. */
const HELD_INTERVAL_MS = 5_000;
/** Retention runs every 40th interval: every ten minutes. */
const RETENTION_PAUSE = 40;
/** Held notifications decoded again in one step: a transaction of a second at most. */
const REDECODE_LIMIT = 50;
/** After an update, unsettled rows are looked at again every 40th interval. */
const ROUND_PAUSE = 40;

export interface UpkeepOptions {
  readonly database: DatabaseDeps;
  readonly channels: CurrentChannels;
  readonly config: Pick<
    WorkerConfig,
    'releaseIntervalMs' | 'releaseBatchSize' | 'heldDeadlineMs' | 'retentionMs'
  >;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, 'released' | 'purged' | 'redecoded'>;
  readonly sources: readonly Pick<Source, 'promoteMisdated'>[];
  /** Whether the database is fit and the clocks agree; no step begins otherwise. */
  readonly mayRun: () => boolean;
}

/** The scheduled tasks of a worker. Each has a separate timer, so that none delays another. */
export function startUpkeep(options: UpkeepOptions): Schedule {
  const { database, channels, config, log, metrics, mayRun, sources } = options;
  const every = (
    what: string,
    run: () => Promise<boolean>,
    intervalMs = config.releaseIntervalMs,
  ) =>
    startSchedule({
      intervalMs: Math.min(intervalMs, config.releaseIntervalMs),
      run: async () => mayRun() && run(),
      onError: (err) => log.warn({ err }, `checking ${what} failed`),
    });
  const schedules = [
    every(
      'held events',
      async () => {
        const { looked, released } = await retryHeld(database, config.releaseBatchSize);
        metrics.released.inc(released);
        if (looked > 0) log.info({ looked, released }, 'held.retried');
        return looked === config.releaseBatchSize;
      },
      HELD_INTERVAL_MS,
    ),
    every('overdue events', () => alertOverdue(database, config.heldDeadlineMs)),
    every('dead letters', async () => {
      const verify = (letter: LetterJob) => verdictOf(letter, channels());
      const { looked, redriven } = await redriveDeadLetters(database, REDRIVE_LIMIT, verify);
      if (looked > 0) log.info({ looked, redriven }, 'dead_letters.redriven');
      return looked === REDRIVE_LIMIT;
    }),
    every(
      'contested trades',
      () => flagContested(database, CONTESTED_LIMIT),
      CONTESTED_INTERVAL_MS,
    ),
    every(
      'dead letters of newer gateways',
      inRounds(ROUND_PAUSE, async (after) => {
        const verify = (letter: LetterJob) => verdictOf(letter, channels());
        const { last, looked, redriven } = await redriveReadable(
          database,
          REDRIVE_LIMIT,
          after,
          verify,
        );
        if (redriven > 0) log.info({ looked, redriven }, 'dead_letters.redriven');
        return { last, more: looked === REDRIVE_LIMIT };
      }),
    ),
    every(
      'held events of the previous release',
      inRounds(ROUND_PAUSE, async (after) => {
        const decode = decodeStored(channels());
        const { last, results } = await redecodeStep(database, REDECODE_LIMIT, after, decode);
        for (const { result } of results) metrics.redecoded.inc({ result });
        const decoded = results.filter(({ result }) => result === 'decoded').length;
        if (decoded > 0) log.info({ looked: results.length, decoded }, 'held.redecoded');
        return { last, more: results.length === REDECODE_LIMIT };
      }),
    ),
    every('delayed jobs', async () => {
      const now = database.clock();
      // The next run asks a queue that is down again; its source reports it.
      const looks = await Promise.allSettled(sources.map((one) => one.promoteMisdated(now)));
      const promoted = looks.reduce((sum, look) => sum + ('value' in look ? look.value : 0), 0);
      if (promoted > 0)
        log.warn({ promoted }, 'jobs waited for a time that came from a wrong clock');
      return promoted > 0;
    }),
    every('old reports', () => purgeReports(database)),
  ];
  schedules.push(
    startRetention(
      {
        retentionMs: config.retentionMs,
        intervalMs: RETENTION_PAUSE * config.releaseIntervalMs,
      },
      options,
    ),
  );
  return {
    async stop() {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
    },
  };
}

function verdictOf({ job, jobId }: LetterJob, channels: Channels): Verdict {
  const verdict = verifyJob(job, jobId, channels);
  if (verdict.ok) return verdict;
  const { fault } = verdict;
  const error = 'verification' in fault ? fault.verification : null;
  return { ok: false, reason: fault.reason, error };
}
