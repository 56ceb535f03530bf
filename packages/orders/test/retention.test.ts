import { randomUUID } from 'node:crypto';
import { fanOut } from '@payonce/orders/deliveries/fan-out';
import {
  dismissDeadLetter,
  recordDeadLetter,
  requestRedrive,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import { redriveDeadLetters } from '@payonce/orders/notifications/dead-letters/redrive';
import { rejectHeldEvent } from '@payonce/orders/notifications/held/operator';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder, registerOrders } from '@payonce/orders/registration/register';
import { recordReport } from '@payonce/orders/reports/record';
import { purgeStep, START } from '@payonce/orders/retention/purge';
import { expect, test } from 'vitest';
import {
  apply,
  notification,
  notificationRow,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { type DeliveryDatabase, deliveryDatabase, makeEndpoint } from './deliveries.js';
import { command, operator } from './held.js';

const DAY_MS = 86_400_000;
const RETENTION_MS = 90 * DAY_MS;

/** Runs all steps of one round. */
async function purge(deps: TestDatabase) {
  const sum = { notifications: 0, responses: 0, letters: 0, steps: 0 };
  for (let place = START; ; ) {
    const { next, ...step } = await purgeStep(deps, RETENTION_MS, place);
    const { notifications, responses, letters } = step;
    sum.notifications += notifications;
    sum.responses += responses;
    sum.letters += letters;
    sum.steps += 1;
    if (next === null) return sum;
    place = next;
  }
}

function later(deps: TestDatabase, days: number): void {
  deps.now = new Date(deps.now.getTime() + days * DAY_MS);
}

async function paidOrder(deps: TestDatabase, number: string): Promise<VerifiedNotification> {
  const one = notification(payment(number), { headers: { 'x-signature': 'abc' } });
  await registerOrder(deps, terms(number));
  expect(await apply(deps, one)).toEqual([['applied']]);
  return one;
}

const isPurged = async (deps: TestDatabase, one: VerifiedNotification) =>
  (await notificationRow(deps, one)).purgedAt !== null;

/** Fans out every order event, and delivers everything. */
async function deliverAll(deps: DeliveryDatabase): Promise<void> {
  await fanOut(deps, 1_000);
  await deps.prisma.delivery.updateMany({
    data: { state: 'delivered', parkedReason: null, deliveredAt: deps.now },
  });
}

test('raw bytes are erased when they are old enough, and the guards against duplicates stay', async () => {
  const deps = await testDatabase();
  const one = await paidOrder(deps, 'A1');
  await fanOut(deps, 1_000);
  await recordReport(deps, {
    version: 1,
    reportId: randomUUID(),
    gateway: randomUUID(),
    startedAt: deps.now.toISOString(),
    at: deps.now.toISOString(),
    copies: [{ ...one, count: 9, firstAt: deps.now.toISOString(), lastAt: deps.now.toISOString() }],
    minutes: [],
    state: { stores: [], channels: [], clockSkewSeconds: {} },
  });
  later(deps, 89);
  expect(await purge(deps)).toMatchObject({ notifications: 0 });
  later(deps, 2);
  expect(await purge(deps)).toMatchObject({ notifications: 1 });
  const row = await notificationRow(deps, one);
  expect(row).toMatchObject({
    headers: {},
    purgedAt: deps.now,
    digest: one.digest,
    status: 'applied',
    acknowledged: 9,
    events: [{ outcome: 'applied' }],
  });
  expect(row.body).toHaveLength(0);
  expect(await deps.prisma.reportedCopies.count()).toBe(0);
  expect(await purge(deps)).toMatchObject({ notifications: 0 });
  expect(await apply(deps, one)).toEqual([['applied']]);
  expect(await notificationRow(deps, one)).toMatchObject({ copies: 1, status: 'applied' });
  expect(await deps.prisma.notification.count()).toBe(1);
  expect(await deps.prisma.fact.count()).toBe(1);
});

test('a held event keeps its bytes however old it is, until it is decided', async () => {
  const deps = await testDatabase();
  const held = notification(payment('nobody knows it'));
  await apply(deps, held);
  await fanOut(deps, 1_000);
  later(deps, 1_000);
  await purge(deps);
  expect(await isPurged(deps, held)).toBe(false);
  await registerOrder(deps, terms('nobody knows it'));
  await fanOut(deps, 1_000);
  await purge(deps);
  expect(await isPurged(deps, held)).toBe(true);
});

test('an event that an operator rejected loses its bytes as a decided one does', async () => {
  const deps = await testDatabase();
  const held = notification(payment('nobody knows it'));
  await apply(deps, held);
  await fanOut(deps, 1_000);
  later(deps, 89);
  await rejectHeldEvent(deps, await command(deps));
  expect(await purge(deps)).toMatchObject({ notifications: 0 });
  later(deps, 2);
  expect(await purge(deps)).toMatchObject({ notifications: 1 });
  expect(await isPurged(deps, held)).toBe(true);
});

const letterOf = (jobId: string) =>
  ({ queue: 'redis', jobId, job: { bodyText: `of ${jobId}` }, reason: 'unknown_channel' }) as const;
const letters = ({ prisma }: TestDatabase) =>
  prisma.deadLetter.findMany({ orderBy: { id: 'asc' } });

async function dismissed(deps: TestDatabase, jobId: string): Promise<bigint> {
  await recordDeadLetter(deps, letterOf(jobId));
  const { id: letter } = await deps.prisma.deadLetter.findFirstOrThrow({ orderBy: { id: 'desc' } });
  await dismissDeadLetter(deps, { ...operator, letter });
  return letter;
}

test('closed dead letters lose their jobs when they are old enough, and open ones never', async () => {
  const deps = await testDatabase();
  await dismissed(deps, 'forged');
  await recordDeadLetter(deps, letterOf('applied'));
  const { id: letter } = await deps.prisma.deadLetter.findFirstOrThrow({
    where: { jobId: 'applied' },
  });
  await requestRedrive(deps, { ...operator, letter });
  const genuine = () => ({ ok: true, notification: notification(payment('A1')) }) as const;
  await redriveDeadLetters(deps, 10, genuine);
  await recordDeadLetter(deps, letterOf('open'));
  later(deps, 89);
  expect(await purge(deps)).toMatchObject({ letters: 0 });
  later(deps, 1_000);
  // The least share of a round is one row.
  expect(await purge(deps)).toMatchObject({ letters: 1 });
  expect(await purge(deps)).toMatchObject({ letters: 1 });
  expect(await purge(deps)).toMatchObject({ letters: 0 });
  expect(await letters(deps)).toMatchObject([
    { jobId: 'forged', job: {}, purgedAt: deps.now },
    { jobId: 'applied', job: {}, purgedAt: deps.now },
    { jobId: 'open', job: letterOf('open').job, purgedAt: null },
  ]);
});

test('a job that fails again after its letter was purged gets a new letter, with its content', async () => {
  const deps = await testDatabase();
  const first = await dismissed(deps, 'forged');
  later(deps, 91);
  expect(await purge(deps)).toMatchObject({ letters: 1 });
  const second = await dismissed(deps, 'forged');
  expect(second).not.toBe(first);
  expect(await letters(deps)).toMatchObject([{ job: {} }, { job: letterOf('forged').job }]);
  later(deps, 91);
  expect(await purge(deps)).toMatchObject({ letters: 1 });
});

test.each([
  ['not made yet', async () => {}],
  ['pending', (deps: DeliveryDatabase) => fanOut(deps, 1_000)],
  [
    'parked',
    async (deps: DeliveryDatabase) => {
      await fanOut(deps, 1_000);
      const data = { state: 'parked', parkedReason: 'exhausted' };
      await deps.prisma.delivery.updateMany({ data });
    },
  ],
])(
  'while a delivery of its order is %s a notification keeps its bytes',
  async (_state, prepare) => {
    const deps = await deliveryDatabase();
    await makeEndpoint(deps);
    const one = await paidOrder(deps, 'A1');
    await prepare(deps);
    later(deps, 1_000);
    await purge(deps);
    expect(await isPurged(deps, one)).toBe(false);
    await deliverAll(deps);
    await purge(deps);
    expect(await isPurged(deps, one)).toBe(true);
  },
);

test('the response of a merchant’s system is erased too, when its delivery arrived', async () => {
  const deps = await deliveryDatabase();
  await makeEndpoint(deps);
  await paidOrder(deps, 'A1');
  await paidOrder(deps, 'A2');
  await fanOut(deps, 1_000);
  const [arrived, waiting] = await deps.prisma.delivery.findMany({ orderBy: { id: 'asc' } });
  if (!arrived || !waiting) throw new Error('two orders, two deliveries');
  const attempt = { at: deps.now, durationMs: 3, status: 200, response: Buffer.from('thanks') };
  for (const { id } of [arrived, waiting]) {
    await deps.prisma.deliveryAttempt.create({ data: { deliveryId: id, ...attempt } });
  }
  await deps.prisma.delivery.update({
    where: { id: arrived.id },
    data: { state: 'delivered', deliveredAt: deps.now },
  });
  later(deps, 91);
  expect(await purge(deps)).toMatchObject({ responses: 1 });
  const attempts = await deps.prisma.deliveryAttempt.findMany({ orderBy: { id: 'asc' } });
  expect(attempts.map(({ status, response }) => [status, response !== null])).toEqual([
    [200, false],
    [200, true],
  ]);
});

test('a round goes on in small steps past rows that must stay, and finds its rows through an index', async () => {
  const deps = await testDatabase();
  const held = Array.from({ length: 250 }, (_, n) => notification(payment(`unknown ${n}`)));
  await apply(deps, ...held);
  const one = await paidOrder(deps, 'A1');
  await fanOut(deps, 1_000);
  later(deps, 91);
  expect(await purge(deps)).toEqual({ notifications: 1, responses: 0, letters: 0, steps: 2 });
  expect(await isPurged(deps, one)).toBe(true);
  // As after years: all but a few are purged, and the table is too large to be read and sorted.
  const purged = `UPDATE notifications SET purged_at = now(), body = '', headers = '{}' WHERE id > 20`;
  await deps.prisma.$executeRawUnsafe(purged);
  await deps.prisma.$executeRaw`ANALYZE notifications`;
  const plan = await deps.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SET LOCAL enable_seqscan = off`;
    await tx.$executeRaw`SET LOCAL enable_sort = off`;
    return tx.$queryRaw<{ 'QUERY PLAN': string }[]>`
      EXPLAIN SELECT id FROM notifications WHERE purged_at IS NULL AND id > 5 ORDER BY id LIMIT 10`;
  });
  expect(plan.map((line) => line['QUERY PLAN']).join()).toContain('notifications_unpurged_idx');
});

test('a clock that is a year ahead costs a hundredth of the evidence per round, however often it runs', async () => {
  const deps = await deliveryDatabase();
  await makeEndpoint(deps);
  const many = Array.from({ length: 300 }, (_, n) => terms(`Y${n}`));
  await registerOrders(deps, many);
  await apply(deps, ...many.map(({ number }) => notification(payment(number))));
  await deliverAll(deps);
  const deliveries = await deps.prisma.delivery.findMany();
  const attempt = { at: deps.now, durationMs: 3, status: 200, response: Buffer.from('thanks') };
  await deps.prisma.deliveryAttempt.createMany({
    data: deliveries.map(({ id }) => ({ deliveryId: id, ...attempt })),
  });
  later(deps, 365);
  expect(await purge(deps)).toMatchObject({ notifications: 3, responses: 3 });
  expect(await purge(deps)).toMatchObject({ notifications: 3, responses: 3 });
  expect(await deps.prisma.notification.count({ where: { purgedAt: null } })).toBe(294);
});
