import { randomUUID } from 'node:crypto';
import {
  type GatewayReport,
  gatewayReport,
  type ReportedCopies,
  type ReportedMinute,
} from '@payonce/core/queue/report';
import { createLog } from '@payonce/core/runtime/log';
import type { VerifiedNotification } from '@payonce/orders/notifications/notification';
import { purgeReports } from '@payonce/orders/reports/purge';
import { recordReport } from '@payonce/orders/reports/record';
import { expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  notificationRow,
  payment,
  type TestDatabase,
  testDatabase,
} from './database-support.js';
import { holdLock, waiting } from './interleaving.js';

const GATEWAY = randomUUID();

const copiesOf = (one: VerifiedNotification, count: number): ReportedCopies => ({
  provider: one.provider,
  channel: one.channel,
  notificationId: one.notificationId,
  digest: one.digest,
  count,
  firstAt: minute(3).toISOString(),
  lastAt: minute(4).toISOString(),
});

function report(changes: Partial<GatewayReport> = {}): GatewayReport {
  return gatewayReport.parse({
    version: 1,
    reportId: randomUUID(),
    gateway: GATEWAY,
    startedAt: minute(0).toISOString(),
    at: minute(5).toISOString(),
    copies: [],
    minutes: [],
    state: { stores: [], channels: [], clockSkewSeconds: {} },
    ...changes,
  });
}

const sums = (at: Date, n: number): ReportedMinute => ({
  minute: at.toISOString(),
  received: 4 * n,
  refused: n,
  acknowledged: 2 * n,
  unavailable: n,
  replyBuckets: [n, ...Array.from({ length: 11 }, () => 0)],
});

const acknowledgedOf = async (deps: TestDatabase, one: VerifiedNotification) =>
  (await notificationRow(deps, one)).acknowledged;

test("gateways' acknowledgements are added up, report by report", async () => {
  const deps = await testDatabase();
  const [one, other] = [notification(payment('A1')), notification(payment('A2'))];
  await apply(deps, one, other);
  const first = report({ copies: [copiesOf(other, 2), copiesOf(one, 9)] });
  expect(await recordReport(deps, first)).toEqual({ counted: 11, unknown: 0 });
  await recordReport(deps, report({ gateway: randomUUID(), copies: [copiesOf(one, 1)] }));
  expect(await acknowledgedOf(deps, one)).toBe(10);
  expect(await acknowledgedOf(deps, other)).toBe(2);
  const rows = await deps.prisma.notificationCopies.findMany({
    where: { reportId: first.reportId, count: 9 },
  });
  expect(rows).toMatchObject([{ gateway: GATEWAY, firstAt: minute(3), lastAt: minute(4) }]);
});

test('the same report again, even concurrently, changes nothing', async () => {
  const deps = await testDatabase();
  const one = notification(payment('A1'));
  await apply(deps, one);
  const told = report({ copies: [copiesOf(one, 9)], minutes: [sums(minute(3), 1)] });
  await Promise.all([recordReport(deps, told), recordReport(deps, told)]);
  expect(await recordReport(deps, told)).toEqual({ counted: 0, unknown: 0 });
  expect(await acknowledgedOf(deps, one)).toBe(9);
  expect(await deps.prisma.gatewayMinute.findMany()).toMatchObject([{ received: 4 }]);
});

test('a report before its notification counts the rest once, and that one after it exists', async () => {
  const deps = await testDatabase();
  const [early, late] = [notification(payment('A1')), notification(payment('A2'))];
  await apply(deps, early);
  const told = report({
    copies: [copiesOf(early, 3), copiesOf(late, 4)],
    minutes: [sums(minute(3), 1)],
  });
  expect(await recordReport(deps, told)).toEqual({ counted: 3, unknown: 4 });
  await apply(deps, late);
  expect(await recordReport(deps, told)).toEqual({ counted: 4, unknown: 0 });
  expect(await acknowledgedOf(deps, early)).toBe(3);
  expect(await acknowledgedOf(deps, late)).toBe(4);
  expect(await deps.prisma.gatewayMinute.findMany()).toMatchObject([{ received: 4 }]);
});

test('copies of other content under the same ID are counted at that content', async () => {
  const deps = await testDatabase();
  const genuine = notification(payment('A1'));
  const { notificationId } = genuine;
  const other = notification(payment('A2'), { notificationId });
  await apply(deps, genuine, other);
  await recordReport(deps, report({ copies: [copiesOf(genuine, 2), copiesOf(other, 5)] }));
  const rows = await deps.prisma.notification.findMany({ orderBy: { variant: 'asc' } });
  expect(rows.map(({ digest, acknowledged }) => [digest, acknowledged])).toEqual([
    [genuine.digest, 2],
    [other.digest, 5],
  ]);
});

test('a gateway and a row of different releases know one content by different digests', async () => {
  const deps = await testDatabase();
  const [text, former] = ['a'.repeat(64), 'b'.repeat(64)];
  const one = notification(payment('A1'), {
    digest: text,
    former: { notificationId: 'one', digest: former },
    notificationId: 'one',
  });
  await apply(deps, one);
  const tell = (digest: string, count: number) =>
    recordReport(deps, report({ copies: [copiesOf({ ...one, digest }, count)] }));
  await tell(text, 2);
  await tell(former, 3);
  expect(await acknowledgedOf(deps, one)).toBe(5);
  await deps.prisma.$executeRaw`UPDATE notifications SET text_digest = NULL`;
  await tell(text, 1);
  await tell(former, 1);
  const copies = [copiesOf({ ...one, digest: text }, 2), copiesOf({ ...one, digest: former }, 4)];
  expect(await recordReport(deps, report({ copies }))).toEqual({ counted: 6, unknown: 0 });
  expect(await acknowledgedOf(deps, one)).toBe(13);
});

test('unsigned contents that are not stored are counted by the first content under their ID', async () => {
  const deps = await testDatabase();
  const unsigned = (name: string) =>
    notification(payment('A1', name, { signed: false }), {
      notificationId: 'one',
      authenticity: 'encrypted',
    });
  const all = Array.from({ length: 7 }, (_, place) => unsigned(`T${place}`));
  await apply(deps, ...all);
  const copies = all.map((one) => copiesOf(one, 1));
  expect(await recordReport(deps, report({ copies }))).toEqual({ counted: 7, unknown: 0 });
  const rows = await deps.prisma.notification.findMany({ orderBy: { id: 'asc' } });
  expect(rows.map(({ acknowledged }) => acknowledged)).toEqual([3, 1, 1, 1, 1]);
});

test('minutes add up to what was done, bucket by bucket', async () => {
  const deps = await testDatabase();
  await recordReport(deps, report({ minutes: [sums(minute(3), 1), sums(minute(2), 5)] }));
  await recordReport(deps, report({ minutes: [sums(minute(3), 2)] }));
  const rows = await deps.prisma.gatewayMinute.findMany({ orderBy: { minute: 'asc' } });
  expect(rows).toMatchObject([
    { minute: minute(2), received: 20, refused: 5, acknowledged: 10, unavailable: 5 },
    { minute: minute(3), received: 12, refused: 3, acknowledged: 6, unavailable: 3 },
  ]);
  expect(rows[1]?.replyBuckets).toEqual([3, ...Array.from({ length: 11 }, () => 0)]);
});

test('a gateway is shown by its newest report, even when an older one arrives later', async () => {
  const deps = await testDatabase();
  const at = (n: number, skew: number) =>
    report({
      at: minute(n).toISOString(),
      state: { stores: [], channels: [], clockSkewSeconds: { shop: skew } },
    });
  for (const told of [at(5, 1), at(7, 2), at(6, 3)]) await recordReport(deps, told);
  expect(await deps.prisma.gateway.findMany()).toMatchObject([
    { id: GATEWAY, seenAt: minute(7), state: { clockSkewSeconds: { shop: 2 } } },
  ]);
});

test('a report and a batch take the same notifications in one order', async () => {
  const deps = await testDatabase();
  const places = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const batch = places.map((place) =>
    notification(payment(`A${place}`), { notificationId: `N${place}` }),
  );
  await apply(deps, ...batch);
  const letGo = await holdLock(
    deps,
    `SELECT 1 FROM notifications WHERE notification_id = 'N4' FOR UPDATE`,
  );
  const copies = [...batch].reverse().map((one) => copiesOf(one, 1));
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
  const logged = { ...deps, log };
  const both = Promise.all([recordReport(logged, report({ copies })), apply(logged, ...batch)]);
  await waiting(deps, 2);
  await letGo();
  const [recorded] = await both;
  expect(recorded).toEqual({ counted: 9, unknown: 0 });
  // A deadlock is retried, and leaves a log line.
  expect(lines).toEqual([]);
});

test('expired rows are removed, and nothing else', async () => {
  const deps = await testDatabase();
  await recordReport(deps, report({ minutes: [sums(minute(3), 1)] }));
  expect(await purgeReports(deps)).toBe(false);
  expect(await deps.prisma.gatewayReport.count()).toBe(1);
  deps.now = new Date(minute(5).getTime() + 8 * 86_400_000);
  await purgeReports(deps);
  const { gatewayReport: ids, gateway, gatewayMinute } = deps.prisma;
  expect(await Promise.all([ids.count(), gateway.count(), gatewayMinute.count()])).toEqual([
    0, 0, 1,
  ]);
  deps.now = new Date(minute(5).getTime() + 91 * 86_400_000);
  await purgeReports(deps);
  expect(await gatewayMinute.count()).toBe(0);
});
