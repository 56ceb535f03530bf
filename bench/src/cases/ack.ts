import type { LoadResult, LoadSpec } from '../load/spec.js';
import type { Running } from '../programs.js';
import { compare } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Target } from '../stores.js';
import { type Case, rateSide } from './case.js';

/** Usual sizes of the pool: Prisma's default, and a raised one. */
export const POOLS = ['10', '32'] as const;

export const ackFloor: Case = {
  name: 'ack.floor',
  does: 'acknowledged per second, against a bare route with the same verification and queue.add',
  side: async (stage) => rateSide('ack.floor', 'acknowledged/s', () => ours(stage)),
  measure: (stage) =>
    compare(stage, {
      name: 'ack.floor',
      unit: 'acknowledged/s',
      ours: () => ours(stage),
      others: {
        'bare route': () =>
          acknowledged(stage, (target) => stage.programs.server('bare-route', target)),
      },
    }),
};

export const ackNaive: Case = {
  name: 'ack.naive',
  does: 'the same, against a handler that updates the order inside the request',
  measure: (stage) =>
    compare(stage, {
      name: 'ack.naive',
      unit: 'acknowledged/s',
      ours: () => ours(stage),
      others: Object.fromEntries(
        POOLS.map((pool) => [
          `usual handler, pool ${pool}`,
          () =>
            acknowledged(stage, (target) =>
              stage.programs.server('usual-handler', target, { BENCH_POOL: pool }),
            ),
        ]),
      ),
    }),
};

export const ackStandby: Case = {
  name: 'ack.standby',
  does: 'acknowledged per second without Redis, against one queue.add for each request',
  side: async (stage) => rateSide('ack.standby', 'acknowledged/s', () => withoutRedis(stage)),
  measure: (stage) =>
    compare(stage, {
      name: 'ack.standby',
      unit: 'acknowledged/s',
      ours: () => withoutRedis(stage),
      others: {
        'one queue.add a request': () =>
          acknowledged(stage, (target) =>
            stage.programs.server('one-add-gateway', target, { PAYONCE_QUEUE: 'postgres' }),
          ),
      },
    }),
};

export const duplicates: Case = {
  name: 'duplicates',
  does: 'acknowledged per second when nine of ten are copies, against all distinct',
  measure: (stage) =>
    compare(stage, {
      name: 'duplicates',
      unit: 'acknowledged/s',
      ours: () => ours(stage, { order: 'nine-of-ten-are-copies' }),
      others: { 'all distinct': () => ours(stage) },
    }),
};

function ours(stage: Stage, spec: Partial<LoadSpec> = {}): Promise<number> {
  return acknowledged(stage, (target) => stage.programs.gateway(target, 'redis'), spec);
}

function withoutRedis(stage: Stage): Promise<number> {
  return acknowledged(stage, (target) => stage.programs.gateway(target, 'postgres'));
}

async function acknowledged(
  stage: Stage,
  start: (target: Target) => Promise<Running>,
  spec: Partial<LoadSpec> = {},
): Promise<number> {
  const { acknowledged, seconds } = await loaded(stage, start, spec);
  return acknowledged / seconds;
}

/** Runs on separate stores. @throws after any refusal: that is no acknowledgement */
export async function loaded(
  stage: Stage,
  start: (target: Target) => Promise<Running>,
  spec: Partial<LoadSpec> = {},
): Promise<LoadResult> {
  const { scale, stores, programs } = stage;
  stage.requests();
  const target = await stores.freshTarget();
  try {
    const server = await start(target);
    try {
      const { origin } = server;
      const result = await programs.load({
        origin,
        file: stage.requestsFile,
        warmMs: scale.warmMs,
        measureMs: scale.measureMs,
        ...spec,
      });
      if (result.refused > 0) throw new Error(`${result.refused} requests were refused`);
      return result;
    } finally {
      await server.stop();
    }
  } finally {
    await target.remove();
  }
}
