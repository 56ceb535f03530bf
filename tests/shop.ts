import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@payonce/core/runtime/clock';
import { createLifecycle, type Lifecycle } from '@payonce/core/runtime/lifecycle';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import type { SimulatedChannel, SimulatedSigners } from '@payonce/testkit/channels/channels';
import { testChannels } from '@payonce/testkit/channels/test-channels';
import { until } from '@payonce/testkit/machine/poll';
import { notify, type Posted } from '@payonce/testkit/sending/notify';
import { createSender } from '@payonce/testkit/sending/sender';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { type FreshDatabase, freshDatabase } from '@payonce/testkit/stores/database';
import { query, urlOf } from '@payonce/testkit/stores/sessions';
import { inject } from 'vitest';
import { readConfig as readGatewayConfig } from '../apps/gateway/src/config.js';
import { start as startGateway } from '../apps/gateway/src/start.js';
import { readConfig as readWorkerConfig } from '../apps/worker/src/config.js';
import { start as startWorker } from '../apps/worker/src/start.js';
import { silent } from './silent.js';

/** The amount due of its orders, in fen. */
export const DUE = 8_888n;

/** The servers of a shop: those of the test run, unless a test has separate ones to break them. */
export interface Servers {
  /** The environment variables that lead to Redis. */
  readonly redis: Readonly<Record<string, string>>;
  /** Superuser URL of the maintenance database. */
  readonly postgresUrl: string;
  /** Null: the database is migrated from nothing. */
  readonly templateDatabase: string | null;
}

/** Gateway and worker on a separate database, role and queue prefix; requests over real HTTP. */
export interface Shop {
  readonly prisma: PrismaClient;
  readonly signers: SimulatedSigners;
  readonly database: FreshDatabase;
  readonly lifecycle: Lifecycle;
  readonly folder: string;
  readonly role: string;
  readonly servers: Servers;
  /** On the gateway's private port. */
  get(path: string): Promise<Response>;
  /** To the gateway, as the provider. */
  post(channel: SimulatedChannel, request: SignedRequest): Promise<Posted>;
  register(number: string, amount?: bigint): Promise<void>;
}

/** The queue's database: a separate one, or that of the orders, as in earlier releases. */
export function queueAddress({ database, role }: Pick<Shop, 'database' | 'role'>, old = false) {
  return urlOf(database.url, old ? database.name : role, [role, 'of-this-test-alone']);
}

function environment(shop: Pick<Shop, 'database' | 'folder' | 'role' | 'servers'>, queue: string) {
  return {
    PAYONCE_QUEUE: queue,
    ...shop.servers.redis,
    PAYONCE_QUEUE_DATABASE_URL: queueAddress(shop),
    PAYONCE_QUEUE_PREFIX: shop.role,
    PAYONCE_CHANNELS_FILE: join(shop.folder, 'channels.yaml'),
    PAYONCE_PORT: '0',
    PAYONCE_PRIVATE_PORT: '0',
  };
}

export async function openShop(
  queue: string,
  {
    worker = true,
    own = {},
    oldQueue = false,
  }: { worker?: boolean; own?: Partial<Servers>; oldQueue?: boolean } = {},
): Promise<Shop> {
  const servers: Servers = {
    redis: { REDIS_URL: inject('redisUrl') },
    postgresUrl: inject('postgresUrl'),
    templateDatabase: inject('templateDatabase'),
    ...own,
  };
  const database = await freshDatabase(servers);
  const folder = mkdtempSync(join(tmpdir(), 'payonce-pipeline-'));
  const role = `${database.name}_queue`;
  const env = {
    ...environment({ database, folder, role, servers }, queue),
    PAYONCE_QUEUE_DATABASE_URL: queueAddress({ database, role }, oldQueue),
  };
  await migrate({ databaseUrl: database.url, queueDatabaseUrl: env.PAYONCE_QUEUE_DATABASE_URL });
  const { signers } = await testChannels(folder);
  const lifecycle = createLifecycle(silent);
  const sender = createSender();
  // Stops last: the gateway still replies to what is under way.
  lifecycle.onStop('sender', async () => sender.close());
  const { port, privatePort } = await startGateway(readGatewayConfig(env), lifecycle, silent);
  const get = (path: string) => fetch(`http://127.0.0.1:${privatePort}${path}`);
  await until('the gateway to be ready', 10_000, async () => (await get('/readyz')).ok);
  const prisma = createPrisma({ url: database.url, poolSize: 2, applicationName: 'pipeline-test' });
  const shop: Shop = {
    prisma,
    signers,
    database,
    lifecycle,
    folder,
    role,
    servers,
    get,
    post: (channel, request) =>
      notify(sender, `http://127.0.0.1:${port}`, [signers[channel].id, channel], request),
    async register(number, amount = DUE) {
      const terms = { merchant: 'demo', number, amount, currency: 'CNY' };
      await registerOrder({ prisma, log: silent, clock: systemClock }, terms);
    },
  };
  if (worker) await addWorker(shop, queue);
  return shop;
}

export interface ShopWorker {
  /** On its private port. */
  get(path: string): Promise<Response>;
}

/** @param extra in addition to its usual environment, or instead of it */
export async function addWorker(
  shop: Shop,
  queue: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<ShopWorker> {
  const env = { ...environment(shop, queue), DATABASE_URL: shop.database.url, ...extra };
  const { privatePort } = await startWorker(readWorkerConfig(env), shop.lifecycle, silent);
  return { get: (path) => fetch(`http://127.0.0.1:${privatePort}${path}`) };
}

export async function closeShop(shop: Shop): Promise<void> {
  await shop.lifecycle.stop();
  await shop.prisma.$disconnect();
  await shop.database.drop();
  await query(shop.servers.postgresUrl, `DROP DATABASE IF EXISTS ${shop.role} WITH (FORCE)`);
  rmSync(shop.folder, { recursive: true, force: true });
}
