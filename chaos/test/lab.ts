/** One gateway and one worker as processes, on stores of their own: what a scenario needs, and no more. */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import {
  ensureSimulatedChannels,
  SIMULATED,
  type SimulatedChannels,
} from '@payonce/testkit/channels';
import { freshDatabase } from '@payonce/testkit/database';
import { declareEndpoint } from '@payonce/testkit/endpoint';
import { type FaultProxy, startFaultProxy } from '@payonce/testkit/fault-proxy';
import { jobIdScanner } from '@payonce/testkit/job-ids';
import { startOwnRedis } from '@payonce/testkit/redis-server';
import { storeFolder } from '@payonce/testkit/store-folder';
import { anyFreePort } from '@payonce/tooling/ports';
import { type RunningPostgres, startPostgres } from '@payonce/tooling/postgres';
import { stop, until } from '@payonce/tooling/process';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type Book, openBook } from '../src/book.js';
import { check, type Judgement } from '../src/checker.js';
import { now } from '../src/clock.js';
import { type Consumer, startConsumer } from '../src/consumer.js';
import type { ToldOrder } from '../src/ledger.js';
import { hirePostman, isAcknowledgement, type Postman } from '../src/post.js';
import { addRival } from '../src/rival.js';
import { createTeller, type Message, type Teller } from '../src/tell.js';
import { channelsWithout, startApp } from './lab-apps.js';

const HOST = '127.0.0.1';
const TEMPLATE = 'payonce_lab';
const WAIT_MS = 15_000;
const UNTOLD = `SELECT 1 FROM order_events WHERE fanned_out_at IS NULL
  UNION ALL SELECT 1 FROM deliveries WHERE state = 'pending'`;

/** What all scenes share. */
export interface Lab {
  readonly folder: string;
  readonly postgres: RunningPostgres;
  readonly channels: SimulatedChannels;
  end(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const folder = storeFolder('lab');
  const postgres = await startPostgres({
    folder: join(folder, 'postgres'),
    port: await anyFreePort(),
    password: randomBytes(16).toString('hex'),
    logFile: join(folder, 'postgres.log'),
  });
  const template = new URL(postgres.adminUrl);
  template.pathname = `/${TEMPLATE}`;
  await query(postgres.adminUrl, `CREATE DATABASE ${TEMPLATE}`);
  await migrate({ databaseUrl: template.href });
  return {
    folder,
    postgres,
    channels: await ensureSimulatedChannels(join(folder, 'simulator')),
    async end() {
      await postgres.stop();
      for (const path of [postgres.data, folder]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** What a scenario plays with. */
export interface Scene {
  readonly teller: Teller;
  /** Between the gateway and Redis. */
  readonly link: FaultProxy;
  /** The merchant's own system. */
  readonly consumer: Consumer;
  /** An order that the merchant has registered. */
  order(amount: bigint): Promise<ToldOrder>;
  /** As the provider: again and again, until it is acknowledged. `each` is called after each sending. */
  deliver(message: Message, each?: () => void): Promise<void>;
  /** Until the worker has no job left. */
  drained(): Promise<void>;
  /** Until a request has reached the merchant's system. */
  arrived(): Promise<void>;
  /** The queue forgets what it has done, as it does after an hour. */
  forgetJobs(): Promise<void>;
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Runs the text and keeps its locks until the answer is called. */
  lock(text: string): Promise<() => Promise<void>>;
  /** Until so many sessions wait for a lock. */
  waiting(count: number): Promise<void>;
  /** Ends the worker and starts it anew; without a channel, if one is named. */
  restartWorker(without?: string): Promise<void>;
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  /** Waits until the merchant was told of everything, if it ever is. */
  judge(): Promise<Judgement>;
}

/**
 * Plays a scenario on the product below `root`, and judges what it left behind.
 * @param prepare SQL for this scene's own database, before anything starts
 */
export async function play(
  lab: Lab,
  root: string,
  scenario: (scene: Scene) => Promise<void>,
  prepare = '',
): Promise<Judgement> {
  const undo: (() => unknown)[] = [];
  try {
    const scene = await openScene(lab, root, prepare, undo);
    await scenario(scene);
    return await scene.judge();
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function openScene(
  lab: Lab,
  root: string,
  prepare: string,
  undo: (() => unknown)[],
): Promise<Scene> {
  const book = openBook();
  const database = await freshDatabase({
    postgresUrl: lab.postgres.adminUrl,
    templateDatabase: TEMPLATE,
  });
  undo.push(() => database.drop());
  const sql = (text: string) => query(database.url, text);
  if (prepare !== '') await sql(prepare);
  const redis = await startOwnRedis();
  undo.push(() => redis.remove());
  const link = await startFaultProxy({
    targetPort: redis.port,
    watch: () => jobIdScanner((jobId) => book.added({ at: now(), store: 'redis', jobId })),
  });
  undo.push(() => link.close());
  const postman = hirePostman();
  undo.push(() => postman.close());
  const consumer = await startConsumer(book.arrived);
  undo.push(() => consumer.close());
  const simulator = join(lab.folder, 'simulator');
  const url = `http://${HOST}:${consumer.port}/payonce`;
  const { channelsFile, secret } = declareEndpoint(simulator, { name: 'shop', url });
  consumer.verifyWith(secret);
  const rival = addRival(simulator, channelsFile, { url, secret });
  const encryptionKey = randomBytes(32).toString('base64');
  const apps = { folder: lab.folder, channelsFile, root, undo };
  const gateway = await startApp(apps, 'gateway', { REDIS_URL: `redis://${HOST}:${link.port}` });
  const worker = (without?: string) =>
    startApp(apps, 'worker', {
      REDIS_URL: redis.url,
      DATABASE_URL: database.url,
      PAYONCE_CHANNELS_FILE: channelsWithout(apps, without),
      PAYONCE_ENCRYPTION_KEY: encryptionKey,
      PAYONCE_WEBHOOK_ALLOW_NETWORKS: `${HOST}/32`,
      PAYONCE_WEBHOOK_RETRY_SECONDS: '6,1,1,1',
      PAYONCE_WORKER_RELEASE_INTERVAL_MS: '200',
    });
  let running = await worker();
  const queue = new Redis(redis.url);
  undo.push(() => queue.disconnect());
  return {
    teller: createTeller(lab.channels, rival),
    link,
    consumer,
    order: (amount) => insertOrder(sql, book, amount),
    deliver: (message, each) => deliver(postman, book, gateway.url, message, each),
    drained: () => drained(queue),
    arrived: () => until('an arrival', WAIT_MS, () => book.ledger.arrivals.length > 0),
    forgetJobs: async () => void (await queue.flushdb()),
    sql,
    lock: (text) => hold(database.url, text, undo),
    waiting: (count) =>
      until(`${count} sessions to wait for a lock`, WAIT_MS, async () => {
        const rows = await sql(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows.length === count;
      }),
    async restartWorker(without) {
      await stop(running.owned, 'SIGTERM', WAIT_MS);
      running = await worker(without);
    },
    until: (what, holds) => until(what, WAIT_MS, holds),
    async judge() {
      const isOver = async () =>
        book.ledger.arrivals.some(({ signed }) => !signed) || (await sql(UNTOLD)).length === 0;
      await until('the merchant to be told', WAIT_MS, isOver);
      return check(book.ledger, database.url);
    },
  };
}

async function insertOrder(sql: Scene['sql'], book: Book, amount: bigint): Promise<ToldOrder> {
  const number = `LAB${book.ledger.orders.length + 1}`;
  const { merchant } = SIMULATED;
  await sql(`INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    VALUES ('${merchant}', '${number}', ${amount}, 'CNY', now(), now())`);
  const order = { merchant, number, amount, registered: true };
  book.order(order);
  return order;
}

async function deliver(
  postman: Postman,
  book: Book,
  url: string,
  message: Message,
  each: () => void = () => {},
): Promise<void> {
  const { told } = message;
  if (!book.ledger.notifications.includes(told)) book.told(told);
  await until(`${told.key} to be acknowledged`, WAIT_MS, async () => {
    const startedAt = now();
    const reply = await postman.post(url + message.path, message.sign());
    const acknowledged = reply !== null && isAcknowledgement(told.provider, reply);
    const status = reply?.status ?? null;
    book.sent({ key: told.key, startedAt, endedAt: now(), status, acknowledged });
    each();
    return acknowledged;
  });
}

/** A job that is there when it is acknowledged is in one of these until it is done. */
async function drained(queue: Redis): Promise<void> {
  const name = 'payonce:notifications';
  await until('the queue to be empty', WAIT_MS, async () => {
    const [wait, active, delayed] = await Promise.all([
      queue.llen(`${name}:wait`),
      queue.llen(`${name}:active`),
      queue.zcard(`${name}:delayed`),
    ]);
    return wait + active + delayed === 0;
  });
}

async function hold(url: string, text: string, undo: (() => unknown)[]) {
  const client = new Client({ connectionString: url });
  client.on('error', () => {}); // cut when the database is dropped
  await client.connect();
  undo.push(() => client.end().catch(() => {}));
  await client.query(`BEGIN; ${text}`);
  return async () => void (await client.query('ROLLBACK'));
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
