import { randomBytes, randomUUID } from 'node:crypto';
import { eventually } from '@payonce/testkit/machine/poll';
import { makeRedisAccess, type OwnRedisAccess } from '@payonce/testkit/stores/redis-access';
import { type OwnCluster, startOwnCluster } from '@payonce/testkit/stores/redis-cluster';
import { type OwnSentinels, startOwnSentinels } from '@payonce/testkit/stores/redis-sentinel';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Env } from '../src/config/env.js';
import { openBullWorker } from '../src/queue/bull-queue.js';
import { type OpenedQueue, openGatewayQueue } from '../src/queue/open-queue.js';
import { type QueueStores, readQueueSettings } from '../src/queue/queue-settings.js';
import { queuesOf } from '../src/queue/shards.js';
import { createLog } from '../src/runtime/log.js';
import { someJob } from './queue-jobs.js';

/**
 * Servers that require TLS and a password, reached by the environment's settings, like gateway and
 * worker do.
 */

const WAYS = ['single', 'sentinel', 'cluster'] as const;
type Way = (typeof WAYS)[number];

let access: OwnRedisAccess;
let sentinels: OwnSentinels;
let cluster: OwnCluster;
const sentinelLogin = { username: 'asks', password: randomBytes(16).toString('hex') };
const logged: string[] = [];
const log = createLog({ name: 'test' }, { write: (line) => void logged.push(line) });

beforeAll(async () => {
  access = await makeRedisAccess();
  [sentinels, cluster] = await Promise.all([
    startOwnSentinels({
      replicas: 0,
      sentinels: 1,
      access: { servers: access, sentinels: { ...access, ...sentinelLogin } },
    }),
    startOwnCluster({ replicas: 0, access }),
  ]);
});
afterAll(async () => {
  await Promise.all([sentinels?.remove(), cluster?.remove()]);
  access?.remove();
});
beforeEach(() => {
  logged.length = 0;
});

function envOf(way: Way): Record<string, string> {
  const login = {
    PAYONCE_REDIS_USERNAME: access.username,
    PAYONCE_REDIS_PASSWORD: access.password,
  };
  const [server] = sentinels.servers;
  const addresses = {
    single: {
      REDIS_URL: `rediss://${access.username}:${access.password}@127.0.0.1:${server?.port}`,
    },
    sentinel: {
      PAYONCE_REDIS_SENTINELS: sentinels.sentinels.map(({ url }) => url).join(),
      PAYONCE_REDIS_SENTINEL_USERNAME: sentinelLogin.username,
      PAYONCE_REDIS_SENTINEL_PASSWORD: sentinelLogin.password,
      ...login,
    },
    cluster: {
      PAYONCE_REDIS_CLUSTER_NODES: cluster.nodes.map(({ url }) => url).join(),
      PAYONCE_QUEUE_SHARDS: '3',
      ...login,
    },
  };
  return {
    PAYONCE_QUEUE_PREFIX: `access-${randomUUID()}`,
    PAYONCE_REDIS_CA_FILE: access.caFile,
    PAYONCE_REDIS_WAIT_REPLICAS: '1',
    ...addresses[way],
  };
}

/** By the environment, but these servers have no replicas. */
function storesOf(env: Env): QueueStores {
  const [store] = readQueueSettings(env);
  if (store.kind !== 'redis') throw new Error('Redis was asked for');
  return [{ ...store, waitReplicas: 0 }];
}

function open(stores: QueueStores): OpenedQueue {
  const opened = openGatewayQueue(stores, { maxInFlight: 1_000, log, onSwitch: () => {} });
  onTestFinished(() => opened.queue.close());
  return opened;
}

/** Takes jobs from every shard. @returns the IDs of the received jobs, and the reported errors */
function startConsumer(stores: QueueStores) {
  const taken: (string | undefined)[] = [];
  const errors: string[] = [];
  for (const shard of queuesOf(stores)) {
    const worker = openBullWorker(shard, async ({ id }) => void taken.push(id), {
      concurrency: 1,
    });
    worker.on('error', (err) => {
      errors.push(err.message);
      log.warn({ err }, 'queue.error');
    });
    onTestFinished(() => worker.close(true));
  }
  return { taken, errors };
}

test.each(WAYS)("with TLS and a password, a gateway's job reaches a worker: %s", async (way) => {
  const stores = storesOf(envOf(way));
  const { queue, stores: shards } = open(stores);
  const { taken } = startConsumer(stores);
  await eventually(() => {
    for (const { state } of shards) expect(state).toEqual({ state: 'ready' });
  });
  const jobs = Array.from({ length: 12 }, () => someJob());
  const names = await Promise.all(jobs.map((job) => queue.enqueue(job, job.id, 2_000)));
  await eventually(() => expect([...taken].sort()).toEqual(jobs.map(({ id }) => id).sort()));
  // Each shard has some: every master of the cluster was reached.
  if (way === 'cluster') expect(new Set(names).size).toBeGreaterThan(1);
});

/** Gateway and worker cannot connect, and report the reason; neither reveals a secret. */
async function expectRefused(env: Env, why: RegExp): Promise<void> {
  const stores = storesOf(env);
  const { queue, stores: shards } = open(stores);
  const { taken, errors } = startConsumer(stores);
  await eventually(() => {
    for (const { state } of shards) {
      expect(state).toEqual({ state: 'down', reason: expect.stringMatching(why) });
    }
    expect(errors.join('\n')).toMatch(why);
  });
  const enqueued = queue.enqueue(someJob(), 'order', 2_000);
  await expect(enqueued).rejects.toMatchObject({
    code: 'queue_unavailable',
    detail: expect.stringMatching(why),
  });
  expect(taken).toEqual([]);
  const said = logged.join('') + errors.join('') + JSON.stringify(shards.map(({ state }) => state));
  for (const secret of [access.password, sentinelLogin.password, 'wr0ng']) {
    expect(said).not.toContain(secret);
  }
}

test('a wrong password is refused, and reported as the reason', async () => {
  const wrong = WAYS.map((way) => {
    const env = envOf(way);
    const url = env.REDIS_URL?.replace(access.password, 'wr0ng');
    return { ...env, PAYONCE_REDIS_PASSWORD: 'wr0ng', ...(url && { REDIS_URL: url }) };
  });
  const withWrongOne = { ...envOf('sentinel'), PAYONCE_REDIS_SENTINEL_PASSWORD: 'wr0ng' };
  await Promise.all([
    ...wrong.map((env) => expectRefused(env, /WRONGPASS/)),
    expectRefused(withWrongOne, /no Sentinel names a master: WRONGPASS/),
  ]);
});

const withoutCa = (way: Way) => ({ ...envOf(way), PAYONCE_REDIS_CA_FILE: '' });

test('a certificate of an untrusted authority is refused, and reported as the reason', async () => {
  await Promise.all(WAYS.map((way) => expectRefused(withoutCa(way), /certificate/)));
});

test('closing while a certificate is being refused does not end the process', async () => {
  // An unhandled error fails the run. It needs a certain moment: about one try of three meets it.
  const [queue] = queuesOf(storesOf(withoutCa('single')));
  for (let count = 0; count < 30; count += 1) {
    const worker = openBullWorker(queue, async () => {}, { concurrency: 1 });
    worker.on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, (count % 10) * 0.7));
    await worker.close(true);
  }
});
