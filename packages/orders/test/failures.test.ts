import { applyAll } from '@payonce/orders/notifications/apply/apply-in-parts';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  minute,
  notification,
  notificationRow,
  orderRow,
  payment,
  silent,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

async function applied(deps: TestDatabase, ...batch: VerifiedNotification[]) {
  const results = await applyAll(deps, batch);
  return results.map((result) =>
    result.status === 'fulfilled'
      ? result.value.events.map((event) =>
          event.outcome === 'held' ? event.reason : event.outcome,
        )
      : result.reason,
  );
}

describe('a poisonous notification', () => {
  test.each([0, 3, 6])(
    'at place %i of a batch is held alone with its raw bytes; the others are applied',
    async (place) => {
      const deps = await testDatabase();
      const numbers = Array.from({ length: 7 }, (_, n) => `A${n}`);
      for (const number of numbers) await registerOrder(deps, terms(number));
      const poisonous = notification(payment(`A${place}`, 'T\0'));
      const batch = numbers.map((number, n) =>
        n === place ? poisonous : notification(payment(number)),
      );
      const outcomes = await applied(deps, ...batch);
      expect(outcomes).toEqual(numbers.map((_, n) => [n === place ? 'internal_error' : 'applied']));
      expect(await deps.prisma.order.count({ where: { status: 'paid' } })).toBe(6);
      const row = await notificationRow(deps, poisonous);
      expect(row).toMatchObject({ status: 'held', copies: 0 });
      expect(Buffer.from(row.body).equals(poisonous.body)).toBe(true);
    },
  );

  test('among two hundred is held alone, and delays none of the others, and none of the next ones', async () => {
    const deps = await testDatabase();
    const numbers = Array.from({ length: 200 }, (_, n) => `A${n}`);
    await deps.prisma.order.createMany({
      data: numbers.map((n) => ({ ...terms(n), createdAt: minute(0), updatedAt: minute(0) })),
    });
    const poisonous = notification(payment('A117', 'T\0'));
    const batch = numbers.map((n) => (n === 'A117' ? poisonous : notification(payment(n))));
    const outcomes = await applied(deps, ...batch);
    expect(outcomes.filter(([outcome]) => outcome === 'applied')).toHaveLength(199);
    expect(outcomes[117]).toEqual(['internal_error']);
    expect(await deps.prisma.order.count({ where: { status: 'paid', version: 1 } })).toBe(199);
    const held = await deps.prisma.notification.findMany({ where: { status: 'held' } });
    expect(held).toMatchObject([{ notificationId: poisonous.notificationId, copies: 0 }]);
    // The next batch with it is not delayed either.
    const next = numbers.map((n) => notification(payment(n, `second-${n}`)));
    const again = await applied(deps, poisonous, ...next);
    expect(again).toEqual([['internal_error'], ...next.map(() => ['applied'])]);
  });

  test('with hostile texts everywhere is still stored', async () => {
    const deps = await testDatabase();
    const hostile = notification(payment('A\0\ud800', 'T\0', { currency: '\0' }), {
      notificationId: 'id\0',
      headers: { 'x-hostile': '\0\udfff' },
    });
    expect(await applied(deps, hostile)).toEqual([['internal_error']]);
    expect(await applied(deps, hostile)).toEqual([['internal_error']]);
    const [row, ...more] = await deps.prisma.notification.findMany();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ notificationId: expect.stringMatching(/^sha256:/), copies: 1 });
  });

  test('is applied by a later copy, or by the schedule, once the cause is fixed', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    await registerOrder(deps, terms('A2'));
    await deps.prisma
      .$executeRaw`ALTER TABLE order_events ADD CONSTRAINT broken CHECK (version < 0)`;
    const [one, two] = [notification(payment('A1')), notification(payment('A2'))];
    expect(await applied(deps, one, two)).toEqual([['internal_error'], ['internal_error']]);
    await deps.prisma.$executeRaw`ALTER TABLE order_events DROP CONSTRAINT broken`;
    expect(await applied(deps, one)).toEqual([['applied']]);
    deps.now = minute(1);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 1 });
    expect(await orderRow(deps, 'A2')).toMatchObject({ status: 'paid' });
  });

  test('among the held ones does not keep the schedule from the others', async () => {
    const deps = await testDatabase();
    const batch = ['A1', 'A2', 'A3'].map((number) => notification(payment(number)));
    await applied(deps, ...batch);
    await deps.prisma.$executeRaw`ALTER TABLE orders ADD CONSTRAINT broken CHECK (
      NOT (number = 'A2' AND status = 'paid'))`;
    // Registering does not fail because of it either.
    expect(await registerOrder(deps, terms('A2'))).toMatchObject({
      outcome: 'registered',
      released: 0,
      order: { status: 'pending' },
    });
    for (const number of ['A1', 'A3']) {
      expect(await registerOrder(deps, terms(number))).toMatchObject({ released: 1 });
    }
    deps.now = minute(1);
    expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 0 });
    const held = batch[1] ?? notification([]);
    expect(await notificationRow(deps, held)).toMatchObject({
      events: [{ holdReason: 'internal_error', tries: 1, nextRetryAt: minute(6) }],
    });
  });
});

describe('a database that does not respond', () => {
  test('is an error for the whole batch, and nothing is held for it', async () => {
    const deps = await testDatabase();
    await registerOrder(deps, terms('A1'));
    const batch = [notification(payment('A1')), notification(payment('A1', 'T2'))];
    await deps.prisma.$executeRaw`ALTER TABLE facts RENAME TO not_there`;
    await expect(applyAll(deps, batch)).rejects.toMatchObject({ code: 'database_unavailable' });
    await deps.prisma.$executeRaw`ALTER TABLE not_there RENAME TO facts`;
    expect(await deps.prisma.notification.count()).toBe(0);
    expect(await applied(deps, ...batch)).toEqual([['applied'], ['applied']]);
  });

  test('no listener: the same error', async () => {
    const prisma = createPrisma({
      url: 'postgres://nobody@127.0.0.1:1/nothing',
      poolSize: 1,
      applicationName: 'test',
    });
    onTestFinished(() => prisma.$disconnect());
    const deps = { prisma, log: silent, clock: () => minute(0) };
    const unavailable = { code: 'database_unavailable' };
    await expect(applyAll(deps, [notification(payment('A1'))])).rejects.toMatchObject(unavailable);
    await expect(registerOrder(deps, terms('A1'))).rejects.toMatchObject(unavailable);
    const letter = { queue: 'q', jobId: '1', job: {}, reason: 'malformed_job' } as const;
    await expect(recordDeadLetter(deps, letter)).rejects.toMatchObject(unavailable);
  });
});

describe('dead letters', () => {
  test('a job is kept completely; the same job again counts up', async () => {
    const deps = await testDatabase();
    const job = { version: 1, bodyBase64: 'AA==', odd: 'NUL \0 and half a pair \ud800' };
    const letter = {
      queue: 'notifications',
      jobId: 'j1',
      job,
      reason: 'verification_failed',
    } as const;
    await recordDeadLetter(deps, letter);
    deps.now = minute(9);
    await recordDeadLetter(deps, { ...letter, error: 'says \0' });
    const letters = await deps.prisma.deadLetter.findMany();
    expect(letters).toMatchObject([
      { jobId: 'j1', job, reason: 'verification_failed', deaths: 2, createdAt: minute(0) },
    ]);
  });
});

describe('dead letters of one job ID', () => {
  test('another content never replaces the stored one', async () => {
    const deps = await testDatabase();
    const letter = { queue: 'notifications', jobId: 'j1', reason: 'verification_failed' } as const;
    await recordDeadLetter(deps, { ...letter, job: { bodyBase64: 'genuine' } });
    await recordDeadLetter(deps, { ...letter, job: { bodyBase64: 'tampered' } });
    const letters = await deps.prisma.deadLetter.findMany({ orderBy: { id: 'asc' } });
    expect(letters.map(({ job }) => job)).toEqual([
      { bodyBase64: 'genuine' },
      { bodyBase64: 'tampered' },
    ]);
  });
});

describe('registering', () => {
  test('the same terms again give the existing order, other terms a conflict that changes nothing', async () => {
    const deps = await testDatabase();
    const [first, again] = [
      await registerOrder(deps, terms('A1')),
      await registerOrder(deps, terms('A1')),
    ];
    expect([first.outcome, again.outcome]).toEqual(['registered', 'existing']);
    expect(again.order).toEqual(first.order);
    for (const other of [terms('A1', 1n), { ...terms('A1'), currency: 'USD' }]) {
      expect(await registerOrder(deps, other)).toEqual({ outcome: 'conflict', order: first.order });
    }
    expect(await registerOrder(deps, { ...terms('A1', 1n), merchant: 'another' })).toMatchObject({
      outcome: 'registered',
    });
  });

  test('twenty at once: one registers, the others find it', async () => {
    const deps = await testDatabase();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => registerOrder(deps, terms('A1'))),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'registered')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'existing')).toHaveLength(19);
  });

  test.each([
    ['an amount of nothing', terms('A1', 0n)],
    ['a negative amount', terms('A1', -1n)],
    ['an empty number', terms('')],
    ['a number of 65 characters', terms('x'.repeat(65))],
    ['a currency that is none', { ...terms('A1'), currency: 'yuan' }],
  ])('%s is refused by the database itself', async (_what, wrong) => {
    const deps = await testDatabase();
    await expect(registerOrder(deps, wrong)).rejects.toThrow(/check constraint/);
    expect(await deps.prisma.order.count()).toBe(0);
  });
});
