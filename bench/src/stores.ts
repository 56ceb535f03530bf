import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { SIMULATED } from '@payonce/testkit/channels/channels';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import type { OwnedProcess } from '@payonce/testkit/machine/process';
import { makeTemplate } from '@payonce/testkit/stores/database';
import { startPostgres } from '@payonce/testkit/stores/postgres';
import { postgresHome } from '@payonce/testkit/stores/postgres-binaries';
import { startRedis } from '@payonce/testkit/stores/redis-server';
import { openSession, query, urlOf } from '@payonce/testkit/stores/sessions';
import { findProgram, REDIS } from '@payonce/tooling/programs';
import { Redis } from 'ioredis';
import { escapeLiteral } from 'pg';
import { shortenLog } from './redis-log.js';
import { AMOUNT, orderNumber } from './requests.js';

/** One database for one measurement, with its queue schema, its orders, and an empty Redis. */
export interface Target {
  readonly databaseUrl: string;
  readonly queueDatabaseUrl: string;
  readonly redisUrl: string;
  query<Row extends object>(text: string): Promise<Row[]>;
  remove(): Promise<void>;
}

/** Addresses of one database. */
export type DatabaseUrls = Pick<Target, 'databaseUrl' | 'queueDatabaseUrl'>;

export interface BenchStores {
  readonly redis: Redis;
  readonly postgresLog: string;
  freshTarget(): Promise<Target>;
  /**
   * The same stores, with databases that `migrateIt` has migrated: another version has another
   * schema.
   */
  migratedBy(migrateIt: (urls: DatabaseUrls) => Promise<void>): Promise<BenchStores>;
  /**
   * An empty Redis, and no pending writes in PostgreSQL: the initial state for both sides of a
   * comparison.
   */
  settle(): Promise<void>;
  end(): Promise<void>;
}

const TEMPLATE = 'payonce_bench';
const OTHER_TEMPLATE = 'payonce_bench_other';

export async function startBenchStores(options: {
  readonly folder: string;
  readonly orders: number;
  /** Whether each measurement waits for the disk first, which costs a second or two. */
  readonly settles: boolean;
  readonly onSpawn: (owned: OwnedProcess) => void;
}): Promise<BenchStores> {
  const { folder, onSpawn } = options;
  const { postgres, postgresLog, redisServer } = await startServers(folder, onSpawn);
  const redis = new Redis(redisServer.url);
  const queuePassword = randomBytes(16).toString('hex');
  const urls = (database: string) => ({
    databaseUrl: urlOf(postgres.adminUrl, database),
    queueDatabaseUrl: urlOf(postgres.adminUrl, database, ['payonce_queue', queuePassword]),
  });
  const addTemplate = (name: string, migrateIt: (urls: DatabaseUrls) => Promise<unknown>) =>
    makeTemplate(postgres.adminUrl, name, async (databaseUrl) => {
      await migrateIt(urls(name));
      await query(databaseUrl, ordersFor(options.orders), 'VACUUM ANALYZE');
    });
  await addTemplate(TEMPLATE, migrate);
  let made = 0;
  async function settle(): Promise<void> {
    await redis.flushall();
    if (!options.settles) return;
    await query(postgres.adminUrl, 'CHECKPOINT');
    await shortenLog(redis);
  }

  const storesFrom = (template: string): BenchStores => ({
    redis,
    postgresLog,
    settle,
    async migratedBy(migrateIt) {
      await addTemplate(OTHER_TEMPLATE, migrateIt);
      return storesFrom(OTHER_TEMPLATE);
    },
    async freshTarget() {
      made += 1;
      const name = `payonce_bench_${made}`;
      await query(postgres.adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
      await settle();
      const client = await openSession(urls(name).databaseUrl);
      return {
        ...urls(name),
        redisUrl: redisServer.url,
        query: async <Row extends object>(text: string) => (await client.query<Row>(text)).rows,
        async remove() {
          await client.end();
          await query(postgres.adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
        },
      };
    },
    async end() {
      redis.disconnect();
      await redisServer.stop();
      await postgres.stop();
      clear(folder);
    },
  });
  return storesFrom(TEMPLATE);
}

/** On an empty folder. */
async function startServers(folder: string, onSpawn: (owned: OwnedProcess) => void) {
  clear(folder);
  mkdirSync(folder, { recursive: true });
  const postgresLog = join(folder, 'postgres.log');
  const postgres = await startPostgres({
    folder: join(folder, 'postgres'),
    port: await anyFreePort(),
    password: randomBytes(16).toString('hex'),
    logFile: postgresLog,
    // Set explicitly, not by default. Latency is computed from the times of commits.
    settings: { synchronous_commit: 'on', fsync: 'on', track_commit_timestamp: 'on' },
    onSpawn,
  });
  const redisServer = await startRedis({
    server: findProgram(REDIS, process.env.PATH ?? ''),
    folder: join(folder, 'redis'),
    port: await anyFreePort(),
    logFile: join(folder, 'redis.log'),
    onSpawn,
  });
  return { postgres, postgresLog, redisServer };
}

/** Also removes the remains of a killed run. */
function clear(folder: string): void {
  rmSync(postgresHome(join(folder, 'postgres')).data, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}

/** Created in SQL: the measured part begins after the registration of an order. */
function ordersFor(count: number): string {
  const number = escapeLiteral(orderNumber(0).replace(/0$/, ''));
  return `INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    SELECT ${escapeLiteral(SIMULATED.merchant)}, ${number} || i, ${AMOUNT}, 'CNY', now(), now()
    FROM generate_series(0, ${count - 1}) AS i`;
}
