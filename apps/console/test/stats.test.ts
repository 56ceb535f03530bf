import { randomBytes, randomUUID } from 'node:crypto';
import { openBullQueue } from '@payonce/core/queue/bull-queue';
import type { NotificationJob } from '@payonce/core/queue/job';
import { REPLY_BUCKETS } from '@payonce/core/queue/report';
import { expect, inject, it, onTestFinished } from 'vitest';
import type { Figures, Stats } from '../src/schemas/stats.js';
import { notificationOf, paid, receive } from './received.js';
import { startConsole, type TestConsole } from './support.js';

async function start(options: { databaseUrl?: string } = {}): Promise<TestConsole> {
  const server = await startConsole(options);
  onTestFinished(() => server.close());
  return server;
}

async function stats({ app, apiKey }: TestConsole): Promise<Stats> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const answer = await app.inject({ url: '/v1/stats', headers });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

async function figuresOf(server: TestConsole): Promise<Figures> {
  const { figures } = await stats(server);
  if (figures === null) throw new Error('no figures');
  return figures;
}

it('it is complete, and zero, when nothing has happened', async () => {
  const figures = await figuresOf(await start());
  const nothing = { count: 0, capped: false, oldestAt: null };
  expect(figures).toMatchObject({
    ...{ held: [], deadLetters: nothing, orderEvents: nothing, gateways: [] },
    deliveries: { pending: nothing, parked: nothing },
    endpoints: { enabled: 0, disabled: 0, circuitOpen: 0 },
    applyMs: { p50: null, p99: null },
    replyMs: { p50: null, p99: null },
  });
  expect(figures.minutes).toHaveLength(60);
  const steps = figures.minutes.map(({ minute }) => Date.parse(minute) / 60_000);
  expect(steps).toEqual(steps.map((_, index) => (steps[0] ?? 0) + index));
});

it('it counts arrivals and outcomes by minute, and the waiting rows', async () => {
  const server = await start();
  const { prisma } = server;
  await prisma.$executeRaw`INSERT INTO orders
    (merchant, number, amount, currency, created_at, updated_at)
    VALUES ('default', 'A-1', 8888, 'CNY', now(), now())`;
  const receivedAt = new Date(Date.now() - 200);
  await receive(
    server,
    notificationOf([paid('A-1')], { receivedAt }),
    notificationOf([paid('A-1')], { receivedAt }),
    notificationOf([paid('unknown')], { receivedAt }),
    notificationOf([{ kind: 'nothing', orderNumber: 'A-1', says: 'WAIT_BUYER_PAY' }]),
  );
  const held = await prisma.notificationEvent.findFirstOrThrow({ where: { outcome: 'held' } });
  // As the schedule leaves it: decided just now, although it arrived half an hour ago.
  const cameAt = new Date(Date.now() - 30 * 60_000);
  await prisma.notificationEvent.update({ where: { id: held.id }, data: { createdAt: cameAt } });

  const { minutes, ...figures } = await figuresOf(server);
  const sum = (name: 'applied' | 'duplicate' | 'held' | 'ignored') =>
    minutes.reduce((total, one) => total + one[name], 0);
  expect([sum('applied'), sum('duplicate'), sum('held'), sum('ignored')]).toEqual([1, 1, 1, 1]);
  expect(minutes.find((one) => one.held > 0)?.minute.slice(0, 16)).toBe(
    cameAt.toISOString().slice(0, 16),
  );
  expect(figures.held).toEqual([
    { reason: 'unknown_order', count: 1, capped: false, oldestAt: cameAt.toISOString() },
  ]);
  expect(figures.orderEvents.count).toBeGreaterThanOrEqual(1);
  expect(figures.applyMs.p50).toBeGreaterThanOrEqual(200);
});

it('it sums up the reports of several gateways, and shows their states', async () => {
  const server = await start();
  const { prisma } = server;
  const gateways = [randomUUID(), randomUUID()];
  const now = new Date();
  const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
  const state = { stores: [{ name: 'redis', state: 'ready' }], channels: [], clockSkewSeconds: {} };
  for (const gateway of gateways) {
    const replyBuckets = Array.from({ length: REPLY_BUCKETS }, (_, index) => (index === 2 ? 5 : 0));
    const counts = { received: 8, refused: 2, acknowledged: 5, unavailable: 1, replyBuckets };
    await prisma.gatewayMinute.create({ data: { gateway, minute, ...counts } });
    const times = { startedAt: now, seenAt: now };
    await prisma.gateway.create({ data: { id: gateway, ...times, state } });
  }
  const long = new Date(now.getTime() - 3_600_000);
  const gone = { id: randomUUID(), startedAt: long, seenAt: long, state };
  await prisma.gateway.create({ data: gone });

  const figures = await figuresOf(server);
  const last = figures.minutes.filter((one) => one.received > 0);
  expect(last).toMatchObject([{ received: 16, refused: 4, acknowledged: 10, unavailable: 2 }]);
  expect(figures.replyMs).toEqual({ p50: 5, p99: 5 });
  expect(figures.gateways.map(({ id }) => id).sort()).toEqual([...gateways].sort());
  expect(figures.gateways[0]?.state).toEqual(state);
});

it('it counts deliveries and endpoints by state', async () => {
  const server = await start();
  const { prisma } = server;
  const now = new Date();
  const order = await prisma.order.create({
    data: {
      merchant: 'm',
      number: 'A',
      amount: 1n,
      currency: 'CNY',
      createdAt: now,
      updatedAt: now,
    },
  });
  const event = await prisma.orderEvent.create({
    data: {
      ...{ merchant: 'm', orderId: order.id, type: 'order.paid', milestone: 'paid', version: 1 },
      ...{ payload: {}, createdAt: now, fannedOutAt: now },
    },
  });
  const endpoints = [
    [{}, { state: 'pending' }],
    [{ openUntil: new Date(now.getTime() + 60_000) }, { state: 'pending' }],
    [
      { disabledAt: now, disabledReason: 'gone' },
      { state: 'parked', parkedReason: 'exhausted' },
    ],
    [{}, { state: 'parked', parkedReason: 'rejected' }],
    [{}, { state: 'delivered', deliveredAt: now }],
    [{ deletedAt: now }, null],
  ] as const;
  for (const [index, [data, delivery]] of endpoints.entries()) {
    const names = { merchant: 'm', name: `e${index}`, url: 'https://shop.example/', source: 'api' };
    const times = { createdAt: now, updatedAt: now };
    const secret = Buffer.from('sealed');
    const { id } = await prisma.webhookEndpoint.create({
      data: { ...names, ...times, secret, ...data },
    });
    const about = { endpointId: id, orderEventId: event.id, nextAttemptAt: now, createdAt: now };
    if (delivery !== null) await prisma.delivery.create({ data: { ...about, ...delivery } });
  }
  const figures = await figuresOf(server);
  expect(figures.endpoints).toEqual({ enabled: 4, disabled: 1, circuitOpen: 1 });
  expect(figures.deliveries).toMatchObject({
    pending: { count: 2, oldestAt: now.toISOString() },
    parked: { count: 1 },
  });
  expect(figures.orderEvents.count).toBe(0);
});

it('it counts jobs in the queue, the age of the oldest, and names the store that is down', async () => {
  const server = await start();
  const queue = openBullQueue({
    ...{ kind: 'redis', shard: 0, durability: 'relaxed', waitReplicas: 0 },
    topology: { kind: 'single', url: inject('redisUrl') },
    prefix: `stats-${randomBytes(6).toString('hex')}`,
  });
  onTestFinished(() => queue.close());
  await queue.waitUntilReady();
  const timestamp = Date.now() - 90_000;
  const job = { version: 3, provider: 'alipay' } as NotificationJob;
  await queue.add('a', job, { timestamp });
  await queue.add('b', job);
  await queue.add('c', job, { delay: 60_000 });
  server.backlog.show(queue, 'redis');

  const { queues, database } = await stats(server);
  expect(database).toBe('ready');
  expect(queues).toEqual([
    {
      ...{ store: 'redis', role: 'preferred', state: 'ready' },
      jobs: {
        ...{ waiting: 2, active: 0, delayed: 1 },
        oldestWaitingAt: new Date(timestamp).toISOString(),
      },
    },
    { store: 'postgres', role: 'standby', state: 'connecting', jobs: null },
  ]);
});

it('it shows the queues while the database is down', async () => {
  const server = await start({ databaseUrl: 'postgresql://nobody:x@127.0.0.1:1/payonce' });
  const { database, figures, queues } = await stats(server);
  expect([database, figures, queues.length]).toEqual(['down', null, 2]);
});

it('it reads once for all requests within a second', async () => {
  const server = await start();
  const [one, two] = await Promise.all([stats(server), stats(server)]);
  expect(two.at).toBe(one.at);
});
