import { KEEP_COMPLETED } from '@payonce/core/queue/job-options';
import type { QueueSettings, QueueStores } from '@payonce/core/queue/queue-settings';
import { systemClock } from '@payonce/core/runtime/clock';
import { createLifecycle } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { createAddressPolicy } from '@payonce/orders/endpoints/networks';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { createTestDatabasePool, POOLED_CLIENT } from '@payonce/testkit/stores/test-database-pool';
import { inject, onTestFinished } from 'vitest';
import type { DeliveryConfig } from '../src/order-events.js';
import { start } from '../src/start.js';
import { silent, type TestQueue } from './queues.js';
import type { Shop } from './shop.js';

const takeDatabase = createTestDatabasePool((url) =>
  createPrisma({ url, poolSize: 4, applicationName: POOLED_CLIENT }),
);

/** A separate migrated database for the running test, with a merchant's actions on it. */
export async function openTestDatabase() {
  const database = await takeDatabase({
    postgresUrl: inject('postgresUrl'),
    templateDatabase: inject('templateDatabase'),
  });
  onTestFinished(database.release);
  const prisma = database.client;
  const deps: DatabaseDeps = { prisma, log: silent, clock: systemClock };
  return {
    url: database.url,
    prisma,
    register: (number: string, amount = 8_888n) =>
      registerOrder(deps, { merchant: 'tea', number, amount, currency: 'CNY' }),
    order: (number: string) =>
      prisma.order.findUnique({
        where: { merchant_number: { merchant: 'tea', number } },
        include: { facts: true, orderEvents: true },
      }),
    statusOf: async (number: string) =>
      (await prisma.order.findUnique({ where: { merchant_number: { merchant: 'tea', number } } }))
        ?.status,
    away: database.away,
  };
}

export type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

/** The worker as `main.ts` starts it, without the process around it, until the test ends. */
export async function startTestWorker(options: {
  readonly queue: Pick<TestQueue, 'settings'>;
  /** In PostgreSQL, behind a queue in Redis. */
  readonly standby?: Pick<TestQueue, 'settings'>;
  readonly database: TestDatabase;
  readonly shop: Shop;
  readonly releaseIntervalMs?: number;
  readonly concurrency?: number;
  readonly stuckLimitMs?: number;
  readonly heldDeadlineMs?: number;
  readonly retentionMs?: number;
  readonly deliveries?: Partial<DeliveryConfig>;
}) {
  const lines: string[] = [];
  const log = createLog(
    { name: 'test', level: 'debug' },
    { write: (line: string) => void lines.push(line) },
  );
  const lifecycle = createLifecycle(log);
  onTestFinished(lifecycle.stop);
  const { privatePort } = await start(
    {
      privateHost: '127.0.0.1',
      privatePort: 0,
      databaseUrl: options.database.url,
      databasePool: 8,
      databaseDurability: 'checked',
      channels: options.shop.channels,
      queues: storesOf(options.queue.settings, options.standby?.settings),
      readChannels: () => options.shop.channels,
      retentionMs: options.retentionMs ?? 90 * 86_400_000,
      sizes: { concurrency: options.concurrency ?? 400, batchSize: 200, batchesInFlight: 3 },
      keepCompleted: KEEP_COMPLETED,
      stuckLimitMs: options.stuckLimitMs ?? 60_000,
      releaseIntervalMs: options.releaseIntervalMs ?? 60_000,
      releaseBatchSize: 200,
      heldDeadlineMs: options.heldDeadlineMs ?? 25 * 3_600_000,
      deliveries: {
        encryptionKeys: null,
        policy: createAddressPolicy([]),
        scheduleMs: [5_000],
        disableAfterMs: 5 * 24 * 3_600_000,
        sizes: { concurrency: 64, perEndpoint: 8, pollMs: 100, drainMs: 5_000 },
        declared: [],
        readDeclared: () => [],
        ...options.deliveries,
      },
    },
    lifecycle,
    log,
  );
  return {
    lines,
    stop: lifecycle.stop,
    reload: lifecycle.reload,
    get: (path: string) => fetch(`http://127.0.0.1:${privatePort}${path}`),
  };
}

function storesOf(queue: QueueSettings, standby: QueueSettings | undefined): QueueStores {
  if (queue.kind === 'postgres') return [queue];
  const store = { ...queue, shards: 1 };
  return standby?.kind === 'postgres' ? [store, standby] : [store];
}

export type TestWorker = Awaited<ReturnType<typeof startTestWorker>>;
