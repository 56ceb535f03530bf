import { eventually } from '@payonce/testkit/machine/poll';
import type { OwnRedis } from '@payonce/testkit/stores/redis-server';
import { expect } from 'vitest';
import { openBullQueue } from '../src/queue/bull-queue.js';
import type { NewJob } from '../src/queue/job.js';
import { openGatewayQueue } from '../src/queue/open-queue.js';
import type { QueueSettings, RedisStoreSettings } from '../src/queue/queue-settings.js';
import { shardAt } from '../src/queue/shards.js';
import { createLog } from '../src/runtime/log.js';
import { type PostgresStore, postgresStore, someJob } from './queue-jobs.js';

/** The gateway's time from the last byte of a request to the reply. */
export const LIMIT_MS = 2_000;

/** A queue on a Redis and a PostgreSQL database, as the gateway opens it. */
export interface Opened {
  readonly switches: string[];
  /** The log messages, one entry per line. */
  readonly said: () => string[];
  readonly postgres: PostgresStore;
  readonly state: () => string;
  readonly untilStoresAre: (redis: string, postgres: string) => Promise<void>;
  /** @returns the store that took it, and the duration */
  readonly add: (job?: NewJob) => Promise<{ store: string; tookMs: number }>;
  readonly close: () => Promise<void>;
  readonly has: (store: 'redis' | 'postgres', job: NewJob) => Promise<boolean>;
}

export async function openWithStandby(
  redis: OwnRedis,
  changes: Partial<RedisStoreSettings> = {},
): Promise<Opened> {
  const postgres = await postgresStore();
  const settings: RedisStoreSettings = {
    kind: 'redis',
    topology: { kind: 'single', url: redis.url },
    shards: 1,
    prefix: 'standby-test',
    durability: 'checked',
    waitReplicas: 0,
    ...changes,
  };
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line) => void lines.push(line) });
  const switches: string[] = [];
  const { queue, stores } = openGatewayQueue([settings, postgres.settings], {
    maxInFlight: 1_000,
    log,
    onSwitch: (to) => void switches.push(to),
  });
  return {
    switches,
    said: () => lines.map((line) => JSON.parse(line).msg),
    postgres,
    state: () => queue.state.state,
    untilStoresAre: (...wanted) =>
      eventually(() => expect(stores.map(({ state }) => state.state)).toEqual(wanted)),
    async add(job = someJob()) {
      const before = performance.now();
      const store = await queue.enqueue(job, job.id, LIMIT_MS);
      return { store, tookMs: performance.now() - before };
    },
    async close() {
      await queue.close();
      await postgres.drop();
    },
    has: (store, job) => isIn(store === 'redis' ? shardAt(settings, 0) : postgres.settings, job),
  };
}

async function isIn(settings: QueueSettings, job: NewJob): Promise<boolean> {
  const bullQueue = openBullQueue(settings);
  bullQueue.on('error', () => {});
  try {
    return (await bullQueue.getJob(job.id)) !== undefined;
  } finally {
    await bullQueue.close();
  }
}
