import type { Channels } from '@payonce/core/config/channels';
import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { DatabaseDeps } from '@payonce/core/database/deps';
import type { Log } from '@payonce/core/log';
import { alertOverdue } from '@payonce/core/notifications/overdue';
import {
  type LetterJob,
  redriveDeadLetters,
  type Verdict,
} from '@payonce/core/notifications/redrive';
import { retryHeld } from '@payonce/core/notifications/release';
import { purgeReports } from '@payonce/core/reports/purge';
import { type Schedule, startSchedule } from '@payonce/core/schedules';
import type { WorkerConfig } from './config.js';
import { startRetention } from './retention.js';
import type { Source } from './source.js';
import { verifyJob } from './verify-job.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** Dead letters tried again in one step: each is a transaction of its own. */
const REDRIVE_LIMIT = 50;
/** What is kept for months is looked for every forty intervals: ten minutes. */
const RETENTION_PAUSE = 40;

export interface UpkeepOptions {
  readonly database: DatabaseDeps;
  readonly channels: CurrentChannels;
  readonly config: Pick<
    WorkerConfig,
    'releaseIntervalMs' | 'releaseBatchSize' | 'heldDeadlineMs' | 'retentionMs'
  >;
  readonly log: Log;
  readonly metrics: Pick<WorkerMetrics, 'released' | 'purged'>;
  readonly sources: readonly Pick<Source, 'promoteMisdated'>[];
  /** Whether the database is fit and the clocks agree; no step begins otherwise. */
  readonly mayRun: () => boolean;
}

/** What a worker does by the clock, each on a timer of its own so that none can hold up another. */
export function startUpkeep(options: UpkeepOptions): Schedule {
  const { database, channels, config, log, metrics, mayRun, sources } = options;
  const every = (what: string, run: () => Promise<boolean>) =>
    startSchedule({
      intervalMs: config.releaseIntervalMs,
      run: async () => mayRun() && run(),
      onError: (err) => log.warn({ err }, `${what} could not be looked at`),
    });
  const schedules = [
    every('held events', async () => {
      const { looked, released } = await retryHeld(database, config.releaseBatchSize);
      metrics.released.inc(released);
      if (looked > 0) log.info({ looked, released }, 'held.retried');
      return looked === config.releaseBatchSize;
    }),
    every('overdue events', () => alertOverdue(database, config.heldDeadlineMs)),
    every('dead letters', async () => {
      const verify = (letter: LetterJob) => verdictOf(letter, channels());
      const { looked, redriven } = await redriveDeadLetters(database, REDRIVE_LIMIT, verify);
      if (looked > 0) log.info({ looked, redriven }, 'dead_letters.redriven');
      return looked === REDRIVE_LIMIT;
    }),
    every('delayed jobs', async () => {
      const now = database.clock();
      // A queue that is away is looked at the next time; its source says so.
      const looks = await Promise.allSettled(sources.map((one) => one.promoteMisdated(now)));
      const promoted = looks.reduce((sum, look) => sum + ('value' in look ? look.value : 0), 0);
      if (promoted > 0) log.warn({ promoted }, 'jobs waited for a time that a wrong clock wrote');
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
