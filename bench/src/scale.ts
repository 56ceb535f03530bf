/** How much is measured. `--quick` shows that everything works, not how fast. */
export interface Scale {
  readonly rounds: number;
  /** Whether each measurement begins with a checkpoint and an empty log. */
  readonly settles: boolean;
  /** Under load, before anything is counted: compilers and caches settle. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** As fast as they are answered, before a latency is measured. */
  readonly warmRequests: number;
  /** Signed notifications at hand, each for an order of its own. */
  readonly requests: number;
  readonly backlog: number;
  /** A side that is slow is not waited for until its backlog is empty. */
  readonly drainLimitMs: number;
  /** Notifications, each with its order, that lie in the database already: little and much. */
  readonly stored: { readonly few: number; readonly many: number };
  readonly grownBacklog: number;
  /** At a steady rate, for latencies. */
  readonly steadyMs: number;
  /** Processor time of one verification after the other, in this process. */
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

/** Two builds differ by less than a build and what people would write instead. */
export const ROUNDS_AGAINST = 9;

/** Requests under way at once, and so connections: both sides of a comparison have as many. */
export const CONCURRENCY = 64;
