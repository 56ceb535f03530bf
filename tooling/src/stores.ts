import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { takePort } from '@payonce/testkit/machine/ports';
import type { OwnedProcess } from '@payonce/testkit/machine/process';
import { startPostgres } from '@payonce/testkit/stores/postgres';
import { startRedis } from '@payonce/testkit/stores/redis-server';
import { query, urlOf } from '@payonce/testkit/stores/sessions';
import { escapeLiteral } from 'pg';
import { findProgram, REDIS } from './programs.js';
import type { LocalSecrets } from './secrets.js';

const POSTGRES_PORT = 8610;
const REDIS_PORT = 8611;
const DATABASE = 'payonce';
/** Also the name of its role. */
const QUEUE_DATABASE = 'payonce_queue';

/** The addresses of the stores for the apps. */
export interface Stores {
  /** Superuser URL of the maintenance database. */
  readonly adminUrl: string;
  readonly databaseUrl: string;
  /**
   * With the queue's role: the gateway's only access to the database; the standby if there is a
   * Redis.
   */
  readonly queueDatabaseUrl: string;
  readonly redisUrl: string | null;
  readonly queue: 'redis' | 'postgres';
  /** One line for people: where the queue is, and why. */
  readonly queueIs: string;
}

export interface StoresOptions {
  readonly state: string;
  readonly secrets: LocalSecrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onSpawn: (owned: OwnedProcess) => void;
}

/**
 * Starts an embedded PostgreSQL, migrated, and Redis: the given one, otherwise ours, otherwise
 * none.
 */
export async function startStores(options: StoresOptions): Promise<Stores> {
  const { secrets } = options;
  const postgres = await startLocalPostgres(await takePort(POSTGRES_PORT), options);
  await ensureDatabases(postgres.adminUrl, secrets.databasePassword);
  const own = (name: string, password: string) => urlOf(postgres.adminUrl, name, [name, password]);
  const databaseUrl = own(DATABASE, secrets.databasePassword);
  const queueDatabaseUrl = own(QUEUE_DATABASE, secrets.queuePassword);
  await migrate({ databaseUrl, queueDatabaseUrl });
  const { adminUrl } = postgres;
  return { adminUrl, databaseUrl, queueDatabaseUrl, ...(await startQueueStore(options)) };
}

/** Of this clone, on its data. */
export function startLocalPostgres(port: number, options: Omit<StoresOptions, 'env'>) {
  const { state, secrets, onSpawn } = options;
  return startPostgres({
    folder: join(state, 'postgres'),
    port,
    password: secrets.postgresPassword,
    logFile: join(state, 'logs', 'postgres.log'),
    onSpawn,
  });
}

/** Of this clone, on its data. @throws without a program for it */
export function startLocalRedis(port: number, options: Omit<StoresOptions, 'env' | 'secrets'>) {
  const { state, onSpawn } = options;
  return startRedis({
    server: findProgram(REDIS, process.env.PATH ?? ''),
    folder: join(state, 'redis'),
    port,
    logFile: join(state, 'logs', 'redis.log'),
    onSpawn,
  });
}

async function startQueueStore(
  options: StoresOptions,
): Promise<Pick<Stores, 'redisUrl' | 'queue' | 'queueIs'>> {
  const { env } = options;
  if (env.PAYONCE_QUEUE === 'postgres') {
    return { redisUrl: null, queue: 'postgres', queueIs: 'PostgreSQL (PAYONCE_QUEUE=postgres)' };
  }
  if (env.REDIS_URL) {
    const queueIs = 'Redis of REDIS_URL, PostgreSQL as its standby';
    return { redisUrl: env.REDIS_URL, queue: 'redis', queueIs };
  }
  if (findProgram(REDIS, env.PATH ?? '') === null) {
    const why = 'no redis-server or valkey-server on the PATH: Redis-free mode';
    return { redisUrl: null, queue: 'postgres', queueIs: `PostgreSQL (${why})` };
  }
  const redis = await startLocalRedis(await takePort(REDIS_PORT), options);
  const queueIs = `Redis, AOF always (${redis.url}), PostgreSQL as its standby`;
  return { redisUrl: redis.url, queue: 'redis', queueIs };
}

/** The apps' role: no superuser, owner of two databases, and able to create the queue's role. */
async function ensureDatabases(adminUrl: string, password: string): Promise<void> {
  const known = await query<{ datname: string }>(adminUrl, 'SELECT datname FROM pg_database');
  const isMissing = (name: string) => !known.some(({ datname }) => datname === name);
  const create = (name: string) => query(adminUrl, `CREATE DATABASE ${name} OWNER ${DATABASE}`);
  if (isMissing(DATABASE)) {
    await query(
      adminUrl,
      `DROP ROLE IF EXISTS ${DATABASE}`,
      `CREATE ROLE ${DATABASE} LOGIN CREATEROLE PASSWORD ${escapeLiteral(password)}`,
    );
    await create(DATABASE);
  }
  // Data of an earlier release has the queue in the database of the orders.
  if (isMissing(QUEUE_DATABASE)) await create(QUEUE_DATABASE);
}

/** Whether an earlier start left its data: it decides the first lines of output. */
export function hasData(state: string): boolean {
  return existsSync(join(state, 'secrets.json'));
}
