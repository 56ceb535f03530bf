import { createHash } from 'node:crypto';
import { systemClock } from '@payonce/core/runtime/clock';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { migrate } from '@payonce/prisma/migrate';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import { eventually } from '@payonce/testkit/machine/poll';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { openSession, urlOf } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silent } from '../silent.js';
import { type App, deployment } from './deployed.js';

/** What a gateway that was taken over can do with its role in PostgreSQL to everybody else. */

const FULL = process.env.PAYONCE_TEST_FULL === '1';
/** Quiet and hostile by turns, so that both meet the same machine. */
const TURNS = FULL ? 6 : 2;
const ORDERS_PER_TURN = FULL ? 40 : 20;
/** Below this the machine's own noise decides. */
const LEAST_QUIET_P95_MS = 20;

const { folder, startRedis, startApp, undo, end } = deployment();
let prisma: PrismaClient;
let signers: SimulatedSigners;
let gateway: App;
let queueUrl: string;

beforeAll(async () => {
  ({ signers } = await ensureSimulatedChannels(folder));
  const postgres = await startOwnPostgres();
  undo.push(() => postgres.remove());
  const { url } = await freshDatabase({ postgresUrl: postgres.adminUrl, templateDatabase: null });
  queueUrl = urlOf(postgres.adminUrl, 'payonce_queue', ['payonce_queue', 'of-this-test-alone']);
  await migrate({ databaseUrl: url, queueDatabaseUrl: queueUrl });
  prisma = createPrisma({ url, poolSize: 4, applicationName: 'test' });
  undo.push(() => prisma.$disconnect());
  const env = {
    REDIS_URL: await startRedis(),
    PAYONCE_QUEUE_DATABASE_URL: queueUrl,
    PAYONCE_LOG_LEVEL: 'warn',
  };
  gateway = await startApp('gateway', env);
  await startApp('worker', { ...env, DATABASE_URL: url });
});
afterAll(end);

/** Registers an order, pays it, and waits until it is paid. @returns how long each took, in ms */
async function oneOrder(number: string): Promise<{ registered: number; paid: number }> {
  const deps = { prisma, log: silent, clock: systemClock };
  const start = performance.now();
  await registerOrder(deps, { merchant: 'demo', number, amount: 8_888n, currency: 'CNY' });
  const registered = performance.now();
  const payment = { orderNumber: number, trade: `T${number}`, amount: 8_888n, paidAt: new Date() };
  const sent = await gateway.post('alipay', 'sim-alipay', signers['sim-alipay'].payment(payment));
  expect(sent.acknowledged).toBe(true);
  await eventually(async () => {
    const order = await prisma.order.findFirst({ where: { number } });
    return order?.status === 'paid';
  });
  return { registered: registered - start, paid: performance.now() - registered };
}

const numberOf = (kind: string, turn: number, index: number) => `${kind}${turn}-${index}`;

/** The lock of an order's number, as anybody can compute it who sees the number. */
function lockOf(number: string): bigint {
  const text = ['payonce order number', 'demo', number].join('\0');
  const digest = createHash('sha256').update(text).digest('hex');
  return BigInt.asIntN(64, BigInt(`0x${digest.slice(0, 16)}`));
}

type Session = Awaited<ReturnType<typeof openSession>>;

/** Takes all that the role can take, and keeps it. @returns lets go */
async function takeEverything(turn: number): Promise<() => Promise<void>> {
  const taken: Session[] = [];
  const hold = async (url: string, ...statements: readonly string[]) => {
    const session = await openSession(url);
    taken.push(session);
    // The session ends with an error if another one of these takes what it needs.
    for (const statement of statements) await session.query(statement).catch(() => {});
  };
  const locks = Array.from(
    { length: ORDERS_PER_TURN },
    (_, index) => `pg_advisory_lock(${lockOf(numberOf('hostile', turn, index))})`,
  );
  await hold(queueUrl, `SELECT ${locks.join(', ')}`);
  await hold(urlOf(queueUrl, 'postgres'), `SELECT ${locks.join(', ')}`);
  await hold(queueUrl, 'BEGIN', "SET LOCAL lock_timeout = '2s'", 'LOCK TABLE payonce_queue.job');
  await hold(
    queueUrl,
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'CREATE TEMPORARY TABLE wide AS SELECT generate_series(1, 20000) AS n',
    `DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TEMP TABLE t%s ()', i); END LOOP; END $$`,
    'SELECT lo_create(0) FROM generate_series(1, 200)',
    `SELECT pg_notify('bullmq_jobs', 'notifications') FROM generate_series(1, 200)`,
  );
  const refused = await untilRefused(taken);
  expect(refused).toMatch(/too many connections for role/);
  return async () => {
    await Promise.all(taken.map((session) => session.end()));
  };
}

async function untilRefused(taken: Session[]): Promise<string> {
  for (;;) {
    try {
      taken.push(await openSession(queueUrl));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

test("whatever the edge's role takes in PostgreSQL, registration and payments take less than twice their time", async () => {
  const times = { quiet: { registered: [], paid: [] }, hostile: { registered: [], paid: [] } } as {
    [Kind in 'quiet' | 'hostile']: { registered: number[]; paid: number[] };
  };
  const measure = async (kind: 'quiet' | 'hostile', turn: number) => {
    for (let index = 0; index < ORDERS_PER_TURN; index += 1) {
      const { registered, paid } = await oneOrder(numberOf(kind, turn, index));
      times[kind].registered.push(registered);
      times[kind].paid.push(paid);
    }
  };
  await measure('quiet', 0);
  times.quiet = { registered: [], paid: [] };
  for (let turn = 1; turn <= TURNS; turn += 1) {
    await measure('quiet', turn);
    const letGo = await takeEverything(turn);
    await measure('hostile', turn);
    await letGo();
  }
  for (const what of ['registered', 'paid'] as const) {
    const [quiet, hostile] = [p95(times.quiet[what]), p95(times.hostile[what])];
    console.log(`${what}: p95 ${quiet.toFixed(1)} ms quiet, ${hostile.toFixed(1)} ms hostile`);
    expect(hostile).toBeLessThan(2 * Math.max(quiet, LEAST_QUIET_P95_MS));
  }
}, 180_000);
