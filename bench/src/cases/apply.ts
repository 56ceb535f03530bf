import { drainRate, remaining } from '../backlog.js';
import type { Running } from '../programs.js';
import { compare } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Target } from '../stores.js';
import { POOLS } from './ack.js';
import { type Case, rateSide } from './case.js';

type Start = (target: Target) => Promise<Running>;

export const applyNaive: Case = {
  name: 'apply.naive',
  does: 'applied per second by one worker, against one Prisma transaction for each job',
  measure: (stage) =>
    compare(stage, {
      name: 'apply.naive',
      unit: 'applied/s',
      ours: () => drained(stage, [(target) => stage.programs.worker(target)]),
      others: Object.fromEntries(
        POOLS.map((pool) => [
          `usual worker, pool ${pool}`,
          () =>
            drained(stage, [
              (target) => stage.programs.consumer('usual-worker', target, { BENCH_POOL: pool }),
            ]),
        ]),
      ),
    }),
};

export const applyFloor: Case = {
  name: 'apply.floor',
  does: 'the same, against a worker that only verifies and decodes',
  side: async (stage) =>
    rateSide('apply.floor', 'applied/s', () =>
      drained(stage, [(target) => stage.programs.worker(target)]),
    ),
  measure: (stage) =>
    compare(stage, {
      name: 'apply.floor',
      unit: 'applied/s',
      ours: () => drained(stage, [(target) => stage.programs.worker(target)]),
      others: {
        'only verifies and decodes': () =>
          drained(stage, [(target) => stage.programs.consumer('idle-worker', target)], false),
      },
    }),
};

export const workers: Case = {
  name: 'workers',
  does: 'applied per second by two worker processes, against one',
  measure: async (stage) => {
    const one: Start = (target) => stage.programs.worker(target);
    return compare(stage, {
      name: 'workers',
      unit: 'applied/s',
      ours: () => drained(stage, [one, one]),
      others: { 'one worker': () => drained(stage, [one]) },
    });
  },
};

/** @param applies whether the results can be found in the database afterwards */
async function drained(
  { scale, stores, fill }: Stage,
  starts: readonly Start[],
  applies = true,
): Promise<number> {
  const target = await stores.freshTarget();
  try {
    await fill(target, 0, scale.backlog);
    const workers = await Promise.all(starts.map((start) => start(target)));
    const rate = await drainRate(stores.redis, scale.backlog, scale.drainLimitMs);
    await Promise.all(workers.map((worker) => worker.stop()));
    const done = scale.backlog - (await remaining(stores.redis));
    if (applies) await expectApplied(target, done);
    return rate;
  } finally {
    await target.remove();
  }
}

/** Jobs that left the queue must have paid their orders, or the measurement means nothing. */
export async function expectApplied(target: Target, done: number): Promise<void> {
  const [found] = await target.query<{ paid: number }>(
    "SELECT count(*)::int AS paid FROM orders WHERE status = 'paid' AND number LIKE 'bench-%'",
  );
  const paid = found?.paid ?? 0;
  if (paid < done) throw new Error(`${done} jobs left the queue, and ${paid} orders are paid`);
}
