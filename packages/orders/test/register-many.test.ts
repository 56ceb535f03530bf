import { createLog } from '@payonce/core/runtime/log';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { registerOrder, registerOrders } from '@payonce/orders/registration/register';
import { describe, expect, test } from 'vitest';
import {
  apply,
  notification,
  payment,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

const numbered = (count: number, prefix = 'A') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Orders with their events, without the IDs that differ from one database to the next. */
async function contentOf({ prisma }: TestDatabase) {
  const orders = await prisma.order.findMany({
    orderBy: { number: 'asc' },
    include: { facts: { orderBy: { key: 'asc' } }, orderEvents: { orderBy: { id: 'asc' } } },
  });
  const events = await prisma.notificationEvent.findMany({ orderBy: { id: 'asc' } });
  return {
    orders: orders.map(({ id, facts, orderEvents, ...order }) => ({
      ...order,
      facts: facts.map(({ key, amount }) => ({ key, amount })),
      orderEvents: orderEvents.map(({ type, milestone, version }) => ({
        type,
        milestone,
        version,
      })),
    })),
    outcomes: events.map(({ outcome, holdReason }) => ({ outcome, holdReason })),
  };
}

describe('registering many orders', () => {
  test('500 at once release exactly their held events, each in its order', async () => {
    const deps = await testDatabase();
    const numbers = numbered(500);
    const waiting = numbers.filter((_, index) => index % 7 === 3);
    await applyNotifications(deps, [
      ...waiting.map((number) => notification(payment(number))),
      notification(payment('A3', 'T-second')),
      notification(payment('not among them')),
    ]);
    const outcomes = await registerOrders(
      deps,
      numbers.map((number) => terms(number)),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(numbers.map(() => 'registered'));
    expect(outcomes.map((one) => (one.outcome === 'registered' ? one.released : 0))).toEqual(
      numbers.map((number, index) => (number === 'A3' ? 2 : index % 7 === 3 ? 1 : 0)),
    );
    expect(outcomes.map(({ order }) => [order.number, order.status])).toEqual(
      numbers.map((number) => [number, waiting.includes(number) ? 'paid' : 'pending']),
    );
    expect(
      await deps.prisma.notificationEvent.findMany({ where: { outcome: 'held' } }),
    ).toMatchObject([{ orderNumber: 'not among them', holdReason: 'unknown_order' }]);
  });

  test('gives the same rows as one after the other: known, conflicting, repeated and held ones', async () => {
    const batch = [
      ...[terms('A1'), terms('A2', 1n), terms('A1'), terms('A1', 5n), terms('known')],
      ...[terms('taken', 5n), terms('A3'), terms('A4'), terms('A5', 1n)],
    ];
    const [many, single] = [await testDatabase(), await testDatabase()];
    for (const deps of [many, single]) {
      await registerOrders(deps, [terms('known'), terms('taken')]);
      await apply(deps, notification([payment('A1'), payment('A3')]), notification(payment('A5')));
      // The owner of the trade: in both cases the first order, whose notice came first as well.
      await apply(deps, notification(payment('A3', 'T-A1')));
    }
    const together = await registerOrders(many, batch);
    const apart = [];
    for (const one of batch) apart.push(await registerOrder(single, one));
    const told = (outcomes: typeof together) =>
      outcomes.map((one) => [
        one.order.number,
        one.outcome,
        'released' in one ? one.released : null,
      ]);
    expect(told(together)).toEqual(told(apart));
    expect(together.map(({ outcome }) => outcome)).toEqual([
      ...['registered', 'registered', 'existing', 'conflict', 'existing'],
      ...['conflict', 'registered', 'registered', 'registered'],
    ]);
    expect(await contentOf(many)).toEqual(await contentOf(single));
  });

  test('a held event that cannot be applied does not block its order or the others', async () => {
    const deps = await testDatabase();
    const numbers = numbered(9);
    const trade = (number: string) => (number === 'A4' ? 'T\0' : `T-${number}`);
    await apply(deps, ...numbers.map((number) => notification(payment(number, trade(number)))));
    const outcomes = await registerOrders(
      deps,
      numbers.map((number) => terms(number)),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(numbers.map(() => 'registered'));
    expect(outcomes.map((one) => one.order.status)).toEqual(
      numbers.map((number) => (number === 'A4' ? 'pending' : 'paid')),
    );
  });

  test('in opposite orders and while they are paid: no deadlock, and nothing stays held', async () => {
    const deps = await testDatabase();
    const lines: string[] = [];
    const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
    for (let round = 0; round < 10; round += 1) {
      const numbers = numbered(40, `R${round}-`);
      const batch = numbers.map((number) => terms(number));
      const notices = numbers.map((number) => notification(payment(number)));
      const [one, , other] = await Promise.all([
        registerOrders({ ...deps, log }, batch),
        applyNotifications({ ...deps, log }, notices),
        registerOrders({ ...deps, log }, [...batch].reverse()),
        applyNotifications({ ...deps, log }, [...notices].reverse()),
      ]);
      const registered = [...one, ...other].filter(({ outcome }) => outcome === 'registered');
      expect(registered).toHaveLength(numbers.length);
    }
    // A deadlock is retried, and leaves a log line.
    expect(lines).toEqual([]);
    expect(await deps.prisma.notificationEvent.count({ where: { outcome: 'held' } })).toBe(0);
    expect(await deps.prisma.order.count({ where: { status: 'paid', version: 1 } })).toBe(400);
  });

  test('of no orders does nothing', async () => {
    expect(await registerOrders(await testDatabase(), [])).toEqual([]);
  });
});
