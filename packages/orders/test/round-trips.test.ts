/**
 * The round trips to PostgreSQL on each path, with BEGIN and COMMIT. A transaction keeps its locks
 * while it waits for each of them, so a path must not get one more by accident.
 */
import { applyAll, applyAllInTurn } from '@payonce/orders/notifications/apply/apply-in-parts';
import {
  acceptHeldEvent,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/held/operator';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { redecodeStep } from '@payonce/orders/notifications/redecode/redecode';
import { changeTrade } from '@payonce/orders/notifications/trades/trade-release';
import { closeOrder, registerOrder, registerOrders } from '@payonce/orders/registration/register';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import {
  minute,
  notification,
  paid,
  payment,
  statement,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';
import { command, operator } from './held.js';

/** Prepares a database in which A1 is registered. @returns the work whose round trips count */
type Path = (deps: TestDatabase) => Promise<() => Promise<unknown>>;

const fresh: Path = async (deps) => () => applyAll(deps, [notification(payment('A1'))]);

const freshWithDeliveries: Path = async (deps) => () =>
  applyAll({ ...deps, fansOut: () => true }, [notification(payment('A1'))]);

const inLane: Path = async (deps) => () => applyAllInTurn(deps, [notification(payment('A1'))]);

const twenty: Path = async (deps) => {
  const numbers = Array.from({ length: 20 }, (_, index) => `B${index}`);
  await registerOrders(
    deps,
    numbers.map((number) => terms(number)),
  );
  return () =>
    applyAll(
      deps,
      numbers.map((number) => notification(payment(number))),
    );
};

const copyOf = (orderNumber: string): Path => {
  const again = () => [notification(payment(orderNumber), { notificationId: 'same' })];
  return async (deps) => {
    await applyAll(deps, again());
    return () => applyAll(deps, again());
  };
};

const otherContent: Path = async (deps) => {
  await applyAll(deps, [notification(payment('A1'), { notificationId: 'same' })]);
  const other = notification(payment('A1', 'T2'), { notificationId: 'same' });
  return () => applyAll(deps, [other]);
};

const unregistered: Path = async (deps) => () => applyAll(deps, [notification(payment('A2'))]);

/** A2 is paid by T. */
async function withTradeOfOtherOrder(deps: TestDatabase): Promise<void> {
  await registerOrder(deps, terms('A2'));
  await applyAll(deps, [notification(payment('A2', 'T'))]);
}

const tradeOfOtherOrder: Path = async (deps) => {
  await withTradeOfOtherOrder(deps);
  return () => applyAll(deps, [notification(payment('A1', 'T'))]);
};

const registration: Path = async (deps) => () => registerOrder(deps, terms('A2'));

const registrationOfHeld: Path = async (deps) => {
  await applyAll(deps, [notification(payment('A2'))]);
  return () => registerOrder(deps, terms('A2'));
};

const close: Path = async (deps) => () => closeOrder(deps, terms('A1'), operator);

const decided =
  (decide: typeof retryEvent): Path =>
  async (deps) => {
    const amount = { amount: 1n };
    await applyAll(deps, [notification(statement('A1', 'T', [paid('T', minute(1), 1n)], amount))]);
    const held = await command(deps);
    return () => decide(deps, held);
  };

const tradeRelease: Path = async (deps) => {
  await withTradeOfOtherOrder(deps);
  await applyAll(deps, [notification(payment('A1', 'T'))]);
  const { merchant, number } = terms('A2');
  const trade = { rail: 'alipay', trade: 'T' } as const;
  return () => changeTrade(deps, 'release', { ...operator, ...trade, merchant, number });
};

const scheduled: Path = async (deps) => {
  await applyAll(deps, [notification(payment('A2'))]);
  deps.now = minute(1);
  return () => retryHeld(deps, 10);
};

const redecoded: Path = async (deps) => {
  const { digest, ...former } = notification(payment('A2'));
  await applyAll(deps, [{ ...former, digest }]);
  await deps.prisma.notification.updateMany({ data: { textDigest: null } });
  const decode = () => ({ digest, events: [payment('A1')] });
  return () => redecodeStep(deps, 10, 0n, decode);
};

test.each<[path: string, roundTrips: number, Path]>([
  ['a payment', 7, fresh],
  ['a payment whose deliveries are created at once', 7, freshWithDeliveries],
  ['a payment that waits for its turn', 7, inLane],
  ['twenty payments', 7, twenty],
  ['a copy', 7, copyOf('A1')],
  ['a payment of an order that is not registered', 10, unregistered],
  ['a copy of a held payment', 10, copyOf('A2')],
  ['a payment by a trade of another order', 10, tradeOfOtherOrder],
  ['another content under a known ID', 12, otherContent],
  ['a registration', 8, registration],
  ['a registration that releases an event', 14, registrationOfHeld],
  ['an order that is closed', 8, close],
  ['an event that an operator retries', 9, decided(retryEvent)],
  ['an event that an operator accepts', 11, decided(acceptHeldEvent)],
  ['an event that an operator rejects', 9, decided(rejectHeldEvent)],
  ['an event that the schedule retries', 13, scheduled],
  ['a trade that an operator releases', 21, tradeRelease],
  ['a held notification that is decoded again', 17, redecoded],
])('%s takes %i round trips', async (_path, roundTrips, path) => {
  const deps = await testDatabase();
  await registerOrder(deps, terms('A1'));
  const counted = await path(deps);
  const query = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await counted();
    const name = new URL(deps.url).pathname.slice(1);
    const clients = query.mock.contexts as { readonly database?: string }[];
    const own = clients.filter(({ database }) => database === name);
    expect(own.length).toBe(roundTrips);
  } finally {
    query.mockRestore();
  }
});
