import { randomUUID } from 'node:crypto';
import {
  type GatewayReport,
  gatewayReport,
  type ReportedCopies,
  type ReportedMinute,
} from '@payonce/core/queue/report';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder } from '@payonce/orders/registration/register';
import { readReportedCopies, readReportedTotals } from '@payonce/orders/reports/copy-rows';
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
  terms,
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

async function reportedOf(deps: TestDatabase, one: VerifiedNotification) {
  const { id } = await notificationRow(deps, one);
  return (await readReportedTotals(deps.prisma, [id])).get(id)?.count ?? 0;
}

test("gateways' acknowledgements are added up, report by report", async () => {
  const deps = await testDatabase();
  const [one, other] = [notification(payment('A1')), notification(payment('A2'))];
  await apply(deps, one, other);
  const first = report({ copies: [copiesOf(other, 2), copiesOf(one, 9)] });
  await recordReport(deps, first);
  await recordReport(deps, report({ gateway: randomUUID(), copies: [copiesOf(one, 1)] }));
  expect(await reportedOf(deps, one)).toBe(10);
  expect(await reportedOf(deps, other)).toBe(2);
  const { id } = await notificationRow(deps, one);
  const rows = await readReportedCopies(deps.prisma, [id], 3);
  expect(rows.sort((a, b) => b.count - a.count)).toMatchObject([
    { gateway: GATEWAY, count: 9, firstAt: minute(3), lastAt: minute(4) },
    { count: 1 },
  ]);
  expect(await readReportedCopies(deps.prisma, [id], 1)).toHaveLength(1);
});

test('the same report again, even concurrently, changes nothing', async () => {
  const deps = await testDatabase();
  const one = notification(payment('A1'));
  await apply(deps, one);
  const told = report({ copies: [copiesOf(one, 9)], minutes: [sums(minute(3), 1)] });
  const both = await Promise.all([recordReport(deps, told), recordReport(deps, told)]);
  expect(both.sort()).toEqual([false, true]);
  expect(await recordReport(deps, told)).toBe(false);
  expect(await reportedOf(deps, one)).toBe(9);
  expect(await deps.prisma.gatewayMinute.findMany()).toMatchObject([{ received: 4 }]);
});

test('a report may come before its notification', async () => {
  const deps = await testDatabase();
  const late = notification(payment('A1'));
  await recordReport(deps, report({ copies: [copiesOf(late, 4)] }));
  await apply(deps, late);
  expect(await reportedOf(deps, late)).toBe(4);
});

test('a report waits for no notification, and holds up none', async () => {
  const deps = await testDatabase();
  const one = notification(payment('A1'));
  await apply(deps, one);
  const letRowGo = await holdLock(deps, 'SELECT FROM notifications FOR UPDATE');
  await recordReport(deps, report({ copies: [copiesOf(one, 2)] }));
  await letRowGo();
  const letMinutesGo = await holdLock(deps, 'LOCK TABLE gateway_minutes');
  const recorded = recordReport(
    deps,
    report({ copies: [copiesOf(one, 3)], minutes: [sums(minute(3), 1)] }),
  );
  await waiting(deps, 1);
  expect(await registerOrder(deps, terms('A1'))).toMatchObject({ released: 1 });
  await letMinutesGo();
  await recorded;
  expect(await reportedOf(deps, one)).toBe(5);
});

test('the previous release’s reports are shown beside ours', async () => {
  const deps = await testDatabase();
  const one = notification(payment('A1'));
  await apply(deps, one);
  const { id } = await notificationRow(deps, one);
  const times = { firstAt: minute(1), lastAt: minute(2) };
  await deps.prisma.notificationCopies.create({
    data: {
      ...{ reportId: randomUUID(), notificationRowId: id, gateway: GATEWAY, count: 2 },
      ...times,
    },
  });
  await recordReport(deps, report({ copies: [copiesOf(one, 3)] }));
  expect(await readReportedCopies(deps.prisma, [id], 9)).toMatchObject([
    { notificationRowId: id, count: 2, ...times },
    { notificationRowId: id, count: 3 },
  ]);
});

test('one page of notifications finds its reports through an index', async () => {
  const deps = await testDatabase();
  const many = Array.from({ length: 1_000 }, (_, place) => notification(payment(`A${place}`)));
  await apply(deps, ...many.slice(0, 50));
  for (let round = 0; round < 10; round += 1) {
    await recordReport(deps, report({ copies: many.map((one) => copiesOf(one, 1)) }));
  }
  await deps.prisma.$executeRaw`ANALYZE reported_copies, notifications`;
  const scansOf = async () => {
    const [scans] = await deps.prisma.$queryRaw<{ n: bigint }[]>`
      SELECT pg_stat_force_next_flush()::text, seq_scan AS n FROM pg_stat_user_tables
      WHERE relname = 'reported_copies'`;
    return scans?.n;
  };
  const before = await scansOf();
  const ids = (await deps.prisma.notification.findMany({ select: { id: true } })).map(
    ({ id }) => id,
  );
  const totals = await readReportedTotals(deps.prisma, ids);
  expect([...totals.values()].map(({ count }) => count)).toEqual(ids.map(() => 10));
  expect(await scansOf()).toBe(before);
});

test('copies of other content under the same ID are counted at that content', async () => {
  const deps = await testDatabase();
  const genuine = notification(payment('A1'));
  const { notificationId } = genuine;
  const other = notification(payment('A2'), { notificationId });
  await apply(deps, genuine, other);
  await recordReport(deps, report({ copies: [copiesOf(genuine, 2), copiesOf(other, 5)] }));
  const rows = await deps.prisma.notification.findMany({ orderBy: { variant: 'asc' } });
  const totals = await readReportedTotals(
    deps.prisma,
    rows.map(({ id }) => id),
  );
  expect(rows.map(({ id, digest }) => [digest, totals.get(id)?.count])).toEqual([
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
  expect(await reportedOf(deps, one)).toBe(5);
  await deps.prisma.$executeRaw`UPDATE notifications SET text_digest = NULL`;
  await tell(text, 1);
  await tell(former, 1);
  const copies = [copiesOf({ ...one, digest: text }, 2), copiesOf({ ...one, digest: former }, 4)];
  await recordReport(deps, report({ copies }));
  expect(await reportedOf(deps, one)).toBe(13);
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
  await recordReport(deps, report({ copies }));
  const rows = await deps.prisma.notification.findMany({ orderBy: { id: 'asc' } });
  const totals = await readReportedTotals(
    deps.prisma,
    rows.map(({ id }) => id),
  );
  expect(rows.map(({ id }) => totals.get(id)?.count)).toEqual([3, 1, 1, 1, 1]);
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

test('expired rows are removed, and nothing else', async () => {
  const deps = await testDatabase();
  const [stored, never] = [notification(payment('A1')), notification(payment('A2'))];
  await apply(deps, stored);
  const copies = [copiesOf(stored, 2), copiesOf(never, 3)];
  await recordReport(deps, report({ copies, minutes: [sums(minute(3), 1)] }));
  expect(await purgeReports(deps)).toBe(false);
  expect(await deps.prisma.gatewayReport.count()).toBe(1);
  expect(await deps.prisma.reportedCopies.count()).toBe(2);
  deps.now = new Date(minute(5).getTime() + 8 * 86_400_000);
  await purgeReports(deps);
  expect(await deps.prisma.reportedCopies.findMany()).toMatchObject([{ count: 2 }]);
  const { gatewayReport: ids, gateway, gatewayMinute } = deps.prisma;
  expect(await Promise.all([ids.count(), gateway.count(), gatewayMinute.count()])).toEqual([
    0, 0, 1,
  ]);
  deps.now = new Date(minute(5).getTime() + 91 * 86_400_000);
  await purgeReports(deps);
  expect(await gatewayMinute.count()).toBe(0);
});
