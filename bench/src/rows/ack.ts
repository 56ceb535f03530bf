import type { LoadResult, LoadSpec } from '../load/spec.js';
import type { Running } from '../programs.js';
import { compare } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Place } from '../stores.js';
import { type Row, rateSide } from './row.js';

/** Usual sizes of the pool: Prisma's default, and a raised one. */
export const POOLS = ['10', '32'] as const;

export const ackFloor: Row = {
  name: 'ack.floor',
  does: 'acknowledged per second, against a bare route with the same verification and queue.add',
  side: async (stage) => rateSide('ack.floor', 'acknowledged/s', () => ours(stage)),
  measure: async (stage) => [
    await compare(
      {
        name: 'ack.floor',
        unit: 'acknowledged/s',
        ours: () => ours(stage),
        others: {
          'bare route': () =>
            acknowledged(stage, (place) => stage.programs.server('bare-route', place)),
        },
      },
      stage.scale.rounds,
      stage.say,
    ),
  ],
};

export const ackNaive: Row = {
  name: 'ack.naive',
  does: 'the same, against a handler that updates the order inside the request',
  measure: async (stage) => [
    await compare(
      {
        name: 'ack.naive',
        unit: 'acknowledged/s',
        ours: () => ours(stage),
        others: Object.fromEntries(
          POOLS.map((pool) => [
            `usual handler, pool ${pool}`,
            () =>
              acknowledged(stage, (place) =>
                stage.programs.server('usual-handler', place, { BENCH_POOL: pool }),
              ),
          ]),
        ),
      },
      stage.scale.rounds,
      stage.say,
    ),
  ],
};

export const ackStandby: Row = {
  name: 'ack.standby',
  does: 'acknowledged per second without Redis, against one queue.add for each request',
  side: async (stage) => rateSide('ack.standby', 'acknowledged/s', () => withoutRedis(stage)),
  measure: async (stage) => [
    await compare(
      {
        name: 'ack.standby',
        unit: 'acknowledged/s',
        ours: () => withoutRedis(stage),
        others: {
          'one queue.add a request': () =>
            acknowledged(stage, (place) =>
              stage.programs.server('one-add-gateway', place, { PAYONCE_QUEUE: 'postgres' }),
            ),
        },
      },
      stage.scale.rounds,
      stage.say,
    ),
  ],
};

export const duplicates: Row = {
  name: 'duplicates',
  does: 'acknowledged per second when nine of ten are copies, against all distinct',
  measure: async (stage) => [
    await compare(
      {
        name: 'duplicates',
        unit: 'acknowledged/s',
        ours: () => ours(stage, { order: 'nine-of-ten-are-copies' }),
        others: { 'all distinct': () => ours(stage) },
      },
      stage.scale.rounds,
      stage.say,
    ),
  ],
};

function ours(stage: Stage, spec: Partial<LoadSpec> = {}): Promise<number> {
  return acknowledged(stage, (place) => stage.programs.gateway(place, 'redis'), spec);
}

function withoutRedis(stage: Stage): Promise<number> {
  return acknowledged(stage, (place) => stage.programs.gateway(place, 'postgres'));
}

async function acknowledged(
  stage: Stage,
  start: (place: Place) => Promise<Running>,
  spec: Partial<LoadSpec> = {},
): Promise<number> {
  const { acknowledged, seconds } = await loaded(stage, start, spec);
  return acknowledged / seconds;
}

/** Runs on separate stores. @throws after any refusal: that is no acknowledgement */
export async function loaded(
  stage: Stage,
  start: (place: Place) => Promise<Running>,
  spec: Partial<LoadSpec> = {},
): Promise<LoadResult> {
  const { scale, stores, programs } = stage;
  stage.requests();
  const place = await stores.freshPlace();
  try {
    const server = await start(place);
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
    await place.remove();
  }
}
