/** One gateway and one worker as processes, on separate stores: the minimum for a scenario. */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import {
  ensureSimulatedChannels,
  SIMULATED,
  type SimulatedChannels,
} from '@payonce/testkit/channels/channels';
import { declareEndpoint } from '@payonce/testkit/channels/endpoint';
import { type FaultProxy, startFaultProxy } from '@payonce/testkit/faults/proxy';
import { until } from '@payonce/testkit/machine/poll';
import { stop } from '@payonce/testkit/machine/process';
import type { Random } from '@payonce/testkit/machine/random';
import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { jobIdScanner } from '@payonce/testkit/sending/job-ids';
import {
  createSender,
  isAcknowledged,
  replyStatus,
  type Sender,
} from '@payonce/testkit/sending/sender';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { freshDatabase, makeTemplate } from '@payonce/testkit/stores/database';
import { type OwnPostgres, startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { holdLocks, query } from '@payonce/testkit/stores/sessions';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { Redis } from 'ioredis';
import { check, type Judgement } from '../src/checker/checker.js';
import { watchProgress } from '../src/checker/progress.js';
import { now } from '../src/clock.js';
import { type Consumer, startConsumer } from '../src/cluster/consumer.js';
import type { FaultContext } from '../src/faults/fault.js';
import { createHistoryRecorder, type HistoryRecorder } from '../src/history/recorder.js';
import {
  createMessageComposer,
  type Message,
  type MessageComposer,
} from '../src/workload/messages.js';
import { addRival } from '../src/workload/rival.js';
import { channelsWithout, startOne } from './harness-apps.js';

const HOST = '127.0.0.1';
const TEMPLATE = 'payonce_harness';
const QUEUE = 'payonce:notifications';
const WAIT_MS = 15_000;
/** On its way; leaves out retries that are planned for an hour from now. */
const UNDELIVERED = `SELECT 1 FROM order_events WHERE fanned_out_at IS NULL
  UNION ALL SELECT 1 FROM deliveries WHERE state = 'pending'
    AND greatest(lease_until, next_attempt_at) < now() + interval '1 hour'`;

/** Shared by all scenes. */
export interface Harness {
  readonly folder: string;
  readonly postgres: OwnPostgres;
  /** SIGKILL of PostgreSQL and all of its sessions, and a start on the same data. */
  crashPostgres(): Promise<void>;
  /** A number for each scene: they may run concurrently. */
  readonly count: () => number;
  readonly channels: SimulatedChannels;
  end(): Promise<void>;
}

export async function openHarness(): Promise<Harness> {
  const folder = storeFolder('harness');
  const postgres = await startOwnPostgres();
  await makeTemplate(postgres.adminUrl, TEMPLATE, (databaseUrl) => migrate({ databaseUrl }));
  let scenes = 0;
  const harness: Harness = {
    folder,
    postgres,
    count: () => (scenes += 1),
    async crashPostgres() {
      await postgres.kill();
      await postgres.start();
    },
    channels: await ensureSimulatedChannels(join(folder, 'simulator')),
    async end() {
      await postgres.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return harness;
}

/** The parts of a scenario. */
export interface Scene {
  readonly composer: MessageComposer;
  /** Between the gateway and Redis. */
  readonly link: FaultProxy;
  /** Between the worker and the orders. */
  readonly ordersLink: FaultProxy;
  /** The merchant's system. */
  readonly consumer: Consumer;
  /** An order that the merchant has registered. */
  order(amount: bigint, merchant?: string): Promise<OrderTerms>;
  /**
   * Sends like the provider: repeatedly, until it is acknowledged. Calls `each` after each sending.
   */
  deliver(message: Message, each?: () => void): Promise<void>;
  /** Sends once, in an attacker's cut or envelope; it may be refused. */
  deliverRecut(message: Message, random: Random): Promise<void>;
  /** Follows the acknowledged notifications, and records those that wait. */
  readonly observer: Pick<FaultContext, 'progress' | 'recorder' | 'say'>;
  /** Waits until the worker has no job left. */
  drained(): Promise<void>;
  /** How many jobs the worker has put back. */
  deferred(): Promise<number>;
  /** Waits until a request has reached the merchant's system. */
  arrived(): Promise<void>;
  /** Removes completed jobs from the queue, as it does after an hour. */
  forgetJobs(): Promise<void>;
  sql(text: string): Promise<Record<string, unknown>[]>;
  /** Runs the text and keeps its locks until the result is called. */
  lock(text: string): Promise<() => Promise<void>>;
  /** Ends the worker and starts it again; without a channel, if one is named. */
  restartWorker(without?: string, env?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGKILL of the worker, and a new one. */
  crashWorker(): Promise<void>;
  /** SIGKILL of PostgreSQL, and a start on its data. */
  crashPostgres(): Promise<void>;
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  /** Waits until the merchant has received every event, if it ever does. */
  judge(): Promise<Judgement>;
}

/**
 * Plays a scenario on the product below `root`, and judges the result.
 * @param prepare SQL for this scene's database, before anything starts
 */
export async function play(
  harness: Harness,
  root: string,
  scenario: (scene: Scene) => Promise<void>,
  prepare = '',
): Promise<Judgement> {
  const undo: (() => unknown)[] = [];
  try {
    const scene = await openScene(harness, root, prepare, undo);
    await scenario(scene);
    return await scene.judge();
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function openScene(
  harness: Harness,
  root: string,
  prepare: string,
  undo: (() => unknown)[],
): Promise<Scene> {
  const recorder = createHistoryRecorder();
  const database = await freshDatabase({
    postgresUrl: harness.postgres.adminUrl,
    templateDatabase: TEMPLATE,
  });
  undo.push(() => database.drop());
  const sql = (text: string) => query(database.url, text);
  if (prepare !== '') await sql(prepare);
  const redis = await startOwnRedis();
  undo.push(() => redis.remove());
  const link = await startFaultProxy({
    targetPort: redis.port,
    watch: () => jobIdScanner((jobId) => recorder.added({ at: now(), store: 'redis', jobId })),
  });
  undo.push(() => link.close());
  const sender = createSender();
  undo.push(() => sender.close());
  const consumer = await startConsumer(recorder.arrived);
  undo.push(() => consumer.close());
  const simulator = join(harness.folder, 'simulator');
  const url = `http://${HOST}:${consumer.port}/payonce`;
  const name = `shop${harness.count()}`;
  const { channelsFile, secret } = declareEndpoint(simulator, { name, url });
  consumer.verifyWith(secret);
  const rival = addRival(simulator, channelsFile, { url, secret });
  const encryptionKey = randomBytes(32).toString('base64');
  const apps = { folder: harness.folder, channelsFile, root, undo };
  const gateway = await startOne(apps, 'gateway', { REDIS_URL: `redis://${HOST}:${link.port}` });
  const ordersUrl = new URL(database.url);
  const ordersLink = await startFaultProxy({ targetPort: Number(ordersUrl.port) });
  undo.push(() => ordersLink.close());
  ordersUrl.port = String(ordersLink.port);
  const worker = (without?: string, env: Readonly<Record<string, string>> = {}) =>
    startOne(apps, 'worker', {
      REDIS_URL: redis.url,
      DATABASE_URL: ordersUrl.href,
      PAYONCE_CHANNELS_FILE: channelsWithout(apps, without),
      PAYONCE_ENCRYPTION_KEY: encryptionKey,
      PAYONCE_WEBHOOK_ALLOW_NETWORKS: `${HOST}/32`,
      PAYONCE_WEBHOOK_RETRY_SECONDS: '6,1,1,1',
      PAYONCE_WORKER_RELEASE_INTERVAL_MS: '200',
      ...env,
    });
  let running = await worker();
  const progress = watchProgress(database.url, recorder);
  undo.push(() => progress.close());
  const queue = new Redis(redis.url);
  undo.push(() => queue.disconnect());
  return {
    composer: createMessageComposer(harness.channels, rival),
    link,
    consumer,
    ordersLink,
    observer: { progress, recorder, say: () => {} },
    order: (amount, merchant) => insertOrder(sql, recorder, amount, merchant),
    deliver: (message, each) => deliver(sender, recorder, gateway.url, message, each),
    async deliverRecut(message, random) {
      const cut = message.recut(random);
      if (cut === null) throw new Error(`${message.notification.key} has one cut only`);
      await send(sender, recorder, gateway.url, message, cut);
    },
    drained: () => drained(queue),
    deferred: () => queue.zcard(`${QUEUE}:delayed`),
    arrived: () => until('an arrival', WAIT_MS, () => recorder.history.arrivals.length > 0),
    forgetJobs: async () => void (await queue.flushdb()),
    sql,
    async lock(text) {
      const release = await holdLocks(database.url, text);
      undo.push(release);
      return release;
    },
    async restartWorker(without, env) {
      await stop(running.owned, 'SIGTERM', WAIT_MS);
      running = await worker(without, env);
    },
    async crashWorker() {
      await stop(running.owned, 'SIGKILL', WAIT_MS);
      running = await worker();
    },
    crashPostgres: () => harness.crashPostgres(),
    until: (what, holds) => until(what, WAIT_MS, holds),
    async judge() {
      const isOver = async () =>
        recorder.history.arrivals.some(({ signed }) => !signed) ||
        (await sql(UNDELIVERED)).length === 0;
      await until('the merchant to be told', WAIT_MS, isOver);
      return check(recorder.history, database.url);
    },
  };
}

async function insertOrder(
  sql: Scene['sql'],
  recorder: HistoryRecorder,
  amount: bigint,
  merchant: string = SIMULATED.merchant,
): Promise<OrderTerms> {
  const number = `O${recorder.history.orders.length + 1}`;
  await sql(`INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    VALUES ('${merchant}', '${number}', ${amount}, 'CNY', now(), now())`);
  const order = { merchant, number, amount, registered: true };
  recorder.order(order);
  return order;
}

async function deliver(
  sender: Sender,
  recorder: HistoryRecorder,
  url: string,
  message: Message,
  each: () => void = () => {},
): Promise<void> {
  await until(`${message.notification.key} to be acknowledged`, WAIT_MS, async () => {
    const acknowledged = await send(sender, recorder, url, message, message.sign());
    each();
    return acknowledged;
  });
}

/** @returns whether it was acknowledged */
async function send(
  sender: Sender,
  recorder: HistoryRecorder,
  url: string,
  { notification, path }: Message,
  signed: SignedRequest,
): Promise<boolean> {
  if (!recorder.history.notifications.includes(notification)) recorder.notification(notification);
  const startedAt = now();
  const sent = await sender.send(url + path, signed);
  const acknowledged = isAcknowledged(notification.provider, sent);
  const status = replyStatus(sent);
  recorder.sent({ key: notification.key, startedAt, endedAt: now(), status, acknowledged });
  return acknowledged;
}

/** An acknowledged job is in one of these until it is done. */
async function drained(queue: Redis): Promise<void> {
  await until('the queue to be empty', WAIT_MS, async () => {
    const [wait, active, delayed] = await Promise.all([
      queue.llen(`${QUEUE}:wait`),
      queue.llen(`${QUEUE}:active`),
      queue.zcard(`${QUEUE}:delayed`),
    ]);
    return wait + active + delayed === 0;
  });
}
