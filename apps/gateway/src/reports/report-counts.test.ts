import { REPORT_MAX_COPIES, REPORT_MAX_MINUTES } from '@payonce/core/queue/report';
import { expect, test } from 'vitest';
import { createReportCounts } from './report-counts.js';

const MAX_NOTIFICATIONS = 10_000;
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const what = (notificationId: string, digest = 'd') => ({
  provider: 'alipay',
  channel: 'shop',
  notificationId,
  digest,
});

test('copies of one notification are summed, from the first to the last; other content is separate', () => {
  const counts = createReportCounts(() => {});
  counts.acknowledged(at(3), 1, what('N1'));
  counts.acknowledged(at(1), 1, what('N1', 'other'));
  counts.acknowledged(at(5), 1, what('N1'));
  expect(counts.take().copies).toEqual([
    { ...what('N1'), count: 2, firstAt: at(3).toISOString(), lastAt: at(5).toISOString() },
    { ...what('N1', 'other'), count: 1, firstAt: at(1).toISOString(), lastAt: at(1).toISOString() },
  ]);
  expect(counts.isEmpty).toBe(true);
  expect(counts.take()).toEqual({ copies: [], minutes: [] });
});

test('the received requests of a minute are the refused, acknowledged and unavailable ones', () => {
  const counts = createReportCounts(() => {});
  counts.rejected(at(0));
  counts.unavailable(at(59), 2_001);
  counts.acknowledged(at(1), 0.4, what('N1'));
  counts.acknowledged(at(60), 3, what('N1'));
  const [first, second] = counts.take().minutes;
  expect(first).toMatchObject({ received: 3, refused: 1, acknowledged: 1, unavailable: 1 });
  expect(first?.minute).toBe(at(0).toISOString());
  expect(first?.replyBuckets).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(second).toMatchObject({ minute: at(60).toISOString(), received: 1, acknowledged: 1 });
});

test('a million forged requests leave nothing behind but one sum', { timeout: 30_000 }, () => {
  const counts = createReportCounts(() => {});
  for (let n = 0; n < 1_000_000; n += 1) counts.rejected(at(0));
  expect(counts.notifications).toBe(0);
  expect(counts.take()).toMatchObject({ copies: [], minutes: [{ refused: 1_000_000 }] });
});

test('a million notifications without a taker of reports are bounded, and the uncounted ones are known', {
  timeout: 30_000,
}, () => {
  let dropped = 0;
  const counts = createReportCounts(() => {
    dropped += 1;
  });
  for (let n = 0; n < 1_000_000; n += 1) counts.acknowledged(at(0), 1, what(`N${n}`));
  counts.acknowledged(at(0), 1, what('N0'));
  expect(counts.notifications).toBe(MAX_NOTIFICATIONS);
  expect(dropped).toBe(1_000_000 - MAX_NOTIFICATIONS);
  const first = counts.take();
  expect(first.copies).toHaveLength(REPORT_MAX_COPIES);
  expect(first.copies[0]).toMatchObject({ notificationId: 'N0', count: 2 });
  expect(first.minutes).toMatchObject([{ acknowledged: 1_000_001 }]);
  let rest = 0;
  while (counts.notifications > 0) rest += counts.take().copies.length;
  expect(rest).toBe(MAX_NOTIFICATIONS - REPORT_MAX_COPIES);
});

test('of the minutes without a taker the newest are kept', () => {
  const counts = createReportCounts(() => {});
  for (let n = 0; n < REPORT_MAX_MINUTES + 5; n += 1) counts.rejected(at(60 * n));
  const { minutes } = counts.take();
  expect(minutes).toHaveLength(REPORT_MAX_MINUTES);
  expect(minutes[0]?.minute).toBe(at(300).toISOString());
});
