/**
 * Why a job goes back to the queue at no cost: another transaction has it `lock`ed; the `store` is
 * down.
 */
export const WAIT_REASONS = ['lock', 'store'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** The number of waiting jobs, and the age of the oldest wait. */
export interface Waiting {
  readonly jobs: number;
  readonly oldestMs: number;
}

export interface JobWaits {
  /** The job was taken, and has to wait (again). */
  began(jobId: string, reason: WaitReason): void;
  ended(jobId: string): void;
  /** How long it has waited; null when this process does not know it to wait for this reason. */
  waitedMs(jobId: string, reason: WaitReason): number | null;
  /** While the store is unfit no job is taken: waiting jobs and their start times are kept. */
  paused(isPaused: boolean): void;
  of(reason: WaitReason): Waiting;
}

/** A waiting job comes again within half of it, unless another worker takes it and reports it. */
const KEPT_MS = 20_000;
/** More jobs than a worker handles in that time when all of them wait. */
const JOBS_MAX = 20_000;

interface Wait {
  readonly reason: WaitReason;
  readonly since: number;
  readonly seen: number;
}

/**
 * The waiting jobs that this process knows, for probes and metrics. It forgets jobs that do not
 * come again.
 * @param now milliseconds that never go back
 */
export function createJobWaits(now: () => number = () => performance.now()): JobWaits {
  const waits = new Map<string, Wait>();
  let pausedSince: number | null = null;

  function forgetOld(): void {
    // In the order of their last sightings: the first ones are the oldest.
    const forgets = pausedSince === null;
    for (const [jobId, { seen }] of waits) {
      if ((!forgets || now() - seen <= KEPT_MS) && waits.size <= JOBS_MAX) return;
      waits.delete(jobId);
    }
  }
  return {
    began(jobId, reason) {
      const known = waits.get(jobId);
      const since = known?.reason === reason ? known.since : now();
      waits.delete(jobId);
      waits.set(jobId, { reason, since, seen: now() });
      forgetOld();
    },
    ended: (jobId) => void waits.delete(jobId),
    waitedMs(jobId, reason) {
      const known = waits.get(jobId);
      return known?.reason === reason ? now() - known.since : null;
    },
    paused(isPaused) {
      if (isPaused) pausedSince ??= now();
      else if (pausedSince !== null) {
        pausedSince = null;
        // From now on they come again.
        for (const [jobId, wait] of waits) waits.set(jobId, { ...wait, seen: now() });
      }
    },
    of(reason) {
      forgetOld();
      const those = [...waits.values()].filter((wait) => wait.reason === reason);
      const none = reason === 'store' ? (pausedSince ?? now()) : now();
      const oldest = those.reduce((least, { since }) => Math.min(least, since), none);
      return { jobs: those.length, oldestMs: now() - oldest };
    },
  };
}

const WAITED_FOR: Readonly<Record<WaitReason, string>> = {
  lock: 'a lock that another transaction holds',
  store: 'the database to respond',
};

/** The waiting jobs for probes; empty when there are none. */
export function waitsInWords(waits: JobWaits): Readonly<Record<string, string>> {
  const waiting = WAIT_REASONS.map((reason) => ({ reason, ...waits.of(reason) }));
  return Object.fromEntries(
    waiting
      .filter(({ jobs }) => jobs > 0)
      .map(({ reason, jobs, oldestMs }) => [
        `waiting for ${reason}`,
        `${jobs} ${jobs === 1 ? 'job waits' : 'jobs wait'} for ${WAITED_FOR[reason]}, ` +
          `the first one for ${Math.round(oldestMs / 1_000)} s`,
      ]),
  );
}
