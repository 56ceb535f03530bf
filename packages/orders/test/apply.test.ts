import { createLog } from '@payonce/core/runtime/log';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { registerOrder } from '@payonce/orders/registration/register';
import type { Fact } from '@payonce/providers/fact';
import { describe, expect, test } from 'vitest';
import {
  minute,
  notification,
  notificationRow,
  orderRow,
  paid,
  payment,
  refundTotal,
  statement,
  terms,
  testDatabase,
  toldEvents,
} from './database-support.js';

const APPLIED = { outcome: 'applied' };
const DUPLICATE = { outcome: 'duplicate' };

describe('one payment', () => {
  test('is applied once, with its fact, its trade, its order event and its raw bytes', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const notice = notification(payment('A1', 'T1'));
    const outcomes = await applyNotifications(deps, [notice]);

    expect(outcomes).toEqual([
      { notificationId: notice.notificationId, copy: false, events: [APPLIED] },
    ]);
    const order = await orderRow(deps, 'A1');
    expect(order).toMatchObject({
      status: 'paid',
      paidAmount: 8888n,
      paidAt: minute(1),
      primaryTrade: 'T1',
      version: 1,
      facts: [{ key: 'paid:alipay:T1', amount: 8888n, at: minute(1) }],
      trades: [{ rail: 'alipay', trade: 'T1' }],
    });
    expect(order.orderEvents).toMatchObject([
      {
        type: 'order.paid',
        milestone: 'paid',
        version: 1,
        payload: {
          orderNumber: 'A1',
          status: 'paid',
          amount: '8888',
          paidAmount: '8888',
          version: 1,
        },
      },
    ]);
    const row = await notificationRow(deps, notice);
    expect(row).toMatchObject({ status: 'applied', copies: 0, digest: notice.digest });
    expect(Buffer.from(row.body).equals(notice.body)).toBe(true);
  });

  test('fifty identical copies at once: one is applied, forty-nine are counted', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const notice = notification(payment('A1'));
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => applyNotifications(deps, [notice])),
    );
    expect(outcomes.flat().filter((outcome) => !outcome.copy)).toHaveLength(1);
    expect(outcomes.flat().every((outcome) => outcome.events[0]?.outcome === 'applied')).toBe(true);
    expect(await notificationRow(deps, notice)).toMatchObject({ copies: 49, status: 'applied' });
    expect(await orderRow(deps, 'A1')).toMatchObject({ version: 1, facts: [{}] });
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1']);
  });

  test('fifty copies in one batch: the same', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const notice = notification(payment('A1'));
    const outcomes = await applyNotifications(
      deps,
      Array.from({ length: 50 }, () => notice),
    );
    expect(outcomes.map((outcome) => outcome.copy)).toEqual([false, ...Array(49).fill(true)]);
    expect(await notificationRow(deps, notice)).toMatchObject({ copies: 49 });
    expect(await orderRow(deps, 'A1')).toMatchObject({ version: 1 });
  });

  test('stated by another notification: a duplicate that changes nothing', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await applyNotifications(deps, [notification(payment('A1', 'T1'))]);
    const finished: Fact = { kind: 'finished', rail: 'alipay', trade: 'T1', at: minute(90) };
    const [second] = await applyNotifications(deps, [
      notification(statement('A1', 'T1', [paid('T1'), finished])),
    ]);
    expect(second?.events).toEqual([DUPLICATE]);
    const order = await orderRow(deps, 'A1');
    expect(order).toMatchObject({ status: 'paid', paidAmount: 8888n });
    expect(order.facts.map((fact) => fact.key)).toEqual(['finished:alipay:T1', 'paid:alipay:T1']);
    expect(await toldEvents(deps, 'A1')).toEqual(['order.paid paid@1']);
  });

  test('gets the best time, whichever notification had it and came first', async () => {
    for (const times of [
      [null, minute(3), minute(1)],
      [minute(1), null, minute(3)],
    ]) {
      const deps = await testDatabase();
      await registerOrder(deps, terms('A1'));
      for (const at of times) {
        await applyNotifications(deps, [notification(statement('A1', 'T', [paid('T', at)]))]);
      }
      expect((await orderRow(deps, 'A1')).paidAt).toEqual(minute(1));
    }
  });
});

describe('a batch', () => {
  test('two batches with the same hundred notifications in opposite order never fail or deadlock', async () => {
    const lines: string[] = [];
    const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
    const deps = { ...(await testDatabase()), log };
    const numbers = Array.from({ length: 100 }, (_, n) => `B${n}`);
    await Promise.all(numbers.map((number) => registerOrder(deps, terms(number))));
    const batch = numbers.map((number) => notification(payment(number)));
    for (let round = 0; round < 5; round += 1) {
      // New IDs for the same payments: they meet every row of notifications, orders, trades and
      // facts again.
      const ids = batch.map((one) => ({
        ...one,
        notificationId: `${one.notificationId}-${round}`,
      }));
      const both = await Promise.all([
        applyNotifications(deps, ids),
        applyNotifications(deps, [...ids].reverse()),
      ]);
      expect(both.flat().filter((outcome) => !outcome.copy)).toHaveLength(100);
    }
    expect(await deps.prisma.order.count({ where: { status: 'paid', version: 1 } })).toBe(100);
    expect(await deps.prisma.fact.count()).toBe(100);
    expect(lines).toEqual([]);
  });

  test('gives the same rows as one transaction for each', async () => {
    const rows = [];
    for (const together of [true, false]) {
      const deps = await testDatabase();
      await registerOrder(deps, terms('A1'));
      const notices = [
        payment('A1', 'T1'),
        statement('A1', 'T1', [paid('T1'), refundTotal('T1', 100n)]),
        payment('A1', 'T2'),
        statement('A1', 'T1', [paid('T1'), refundTotal('T1', 8888n)]),
      ].map((event) => notification(event));
      if (together) await applyNotifications(deps, notices);
      else for (const notice of notices) await applyNotifications(deps, [notice]);
      const { status, version, attention } = await orderRow(deps, 'A1');
      rows.push({ status, version, attention, told: await toldEvents(deps, 'A1') });
    }
    expect(rows[0]).toEqual(rows[1]);
    expect(rows[0]).toEqual({
      status: 'refunded',
      version: 4,
      attention: ['second_payment'],
      told: [
        'order.paid paid@1',
        'order.partially_refunded 100@2',
        'order.attention second_payment@3',
        'order.refunded 8888@4',
      ],
    });
  });

  test('is all or nothing: a killed transaction leaves no row behind, and can be repeated', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await deps.prisma.$executeRaw`CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$`;
    await deps.prisma.$executeRaw`CREATE TRIGGER kill BEFORE INSERT ON order_events
      FOR EACH ROW EXECUTE FUNCTION kill()`;
    const notice = notification(payment('A1'));
    await expect(applyNotifications(deps, [notice])).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    expect(await deps.prisma.notification.count()).toBe(0);
    expect(await deps.prisma.trade.count()).toBe(0);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'pending', version: 0, facts: [] });

    await deps.prisma.$executeRaw`DROP TRIGGER kill ON order_events`;
    expect(await applyNotifications(deps, [notice])).toMatchObject([{ copy: false }]);
    expect(await orderRow(deps, 'A1')).toMatchObject({ status: 'paid', version: 1 });
  });
});
