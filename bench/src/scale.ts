/** The size of the measurement. `--quick` shows that everything works, not how fast. */
export interface Scale {
  readonly rounds: number;
  /** Whether each measurement begins with a checkpoint and an empty log. */
  readonly settles: boolean;
  /** Load before the counted part, for compilers and caches. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** Requests at full speed before a latency is measured. */
  readonly warmRequests: number;
  /** Prepared signed notifications, each for a different order. */
  readonly requests: number;
  readonly backlog: number;
  /** The measurement does not wait until a slow side has emptied its backlog. */
  readonly drainLimitMs: number;
  /** Notifications, each with its order, that are already in the database: few and many. */
  readonly stored: { readonly few: number; readonly many: number };
  readonly grownBacklog: number;
  /** At a steady rate, for latencies. */
  readonly steadyMs: number;
  /** Processor time of consecutive verifications in this process. */
  readonly verifyMs: number;
  readonly waiting: number;
}

export const FULL: Scale = {
  rounds: 5,
  settles: true,
  warmMs: 1_500,
  measureMs: 4_000,
  warmRequests: 8_000,
  requests: 40_000,
  backlog: 20_000,
  drainLimitMs: 10_000,
  stored: { few: 10_000, many: 2_000_000 },
  grownBacklog: 8_000,
  steadyMs: 8_000,
  verifyMs: 1_000,
  waiting: 10_000,
};

export const QUICK: Scale = {
  rounds: 1,
  settles: false,
  warmMs: 100,
  measureMs: 300,
  warmRequests: 100,
  requests: 600,
  backlog: 600,
  drainLimitMs: 500,
  stored: { few: 200, many: 2_000 },
  grownBacklog: 300,
  steadyMs: 500,
  verifyMs: 30,
  waiting: 100,
};

/** Two builds differ less than a build and a usual implementation. */
export const ROUNDS_AGAINST = 9;

/** Concurrent requests, and so connections: the same for both sides of a comparison. */
export const CONCURRENCY = 64;
