/**
 * Deliveries that applying creates, in the same statement as the order event, without waiting for
 * senders.
 */

import { fanOut } from '@payonce/orders/deliveries/fan-out';
import { disableEndpoint } from '@payonce/orders/endpoints/switch';
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import { registerOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/machine/poll';
import { describe, expect, test } from 'vitest';
import { notification, payment, terms } from './database-support.js';
import {
  type DeliveryDatabase,
  deliver,
  deliveryDatabase,
  lin,
  makeEndpoint,
} from './deliveries.js';

import { holdLock, waiting } from './interleaving.js';

const pay = (deps: DeliveryDatabase, fansOut = true, number = 'A1') =>
  applyNotifications({ ...deps, fansOut: () => fansOut }, [
    notification(payment(number, `T-${number}`)),
  ]);

const eventOf = (deps: DeliveryDatabase) => deps.prisma.orderEvent.findFirstOrThrow();

async function told(deps: DeliveryDatabase) {
  const rows = await deps.prisma.delivery.findMany({
    include: { endpoint: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ endpoint, state, parkedReason }) => [endpoint.name, state, parkedReason]);
}

async function withOrder(): Promise<DeliveryDatabase> {
  const deps = await deliveryDatabase();
  await registerOrder(deps, terms('A1'));
  return deps;
}

test('an order event is stored with its deliveries: for endpoints that want it, parked where disabled', async () => {
  const deps = await withOrder();
  await makeEndpoint(deps, 'erp');
  await makeEndpoint(deps, 'refunds', undefined, ['order.refunded']);
  const { id } = await makeEndpoint(deps, 'old');
  await disableEndpoint(deps, { ...lin, endpoint: id });
  await pay(deps);
  const { createdAt, fannedOutAt } = await eventOf(deps);
  expect(fannedOutAt).toEqual(createdAt);
  expect(await told(deps)).toEqual([
    ['erp', 'pending', null],
    ['old', 'parked', 'endpoint_disabled'],
  ]);
  expect(await fanOut(deps, 10)).toBe(0);
});

test('without `fansOut` the order event is left for a later fan-out, also after one with it', async () => {
  const deps = await withOrder();
  await registerOrder(deps, terms('B1'));
  await makeEndpoint(deps, 'erp');
  await pay(deps, true, 'B1');
  await pay(deps, false);
  const events = await deps.prisma.orderEvent.findMany({ where: { fannedOutAt: null } });
  expect(events).toHaveLength(1);
  expect(await told(deps)).toHaveLength(1);
  expect(await fanOut(deps, 10)).toBe(1);
  expect(await told(deps)).toHaveLength(2);
});

describe('an endpoint that is created at the same time', () => {
  test('waits for a transaction that applies, so that it receives all later events', async () => {
    const deps = await withOrder();
    const letGo = await holdLock(deps, `SELECT FROM orders WHERE number = 'A1' FOR UPDATE`);
    const paying = pay(deps);
    await waiting(deps, 1);
    const making = makeEndpoint(deps, 'erp');
    await waiting(deps, 2);
    await letGo();
    await Promise.all([paying, making]);
    const { fannedOutAt } = await eventOf(deps);
    const [endpoint] = await deps.prisma.webhookEndpoint.findMany();
    expect(fannedOutAt).not.toBeNull();
    expect(endpoint?.name).toBe('erp');
    expect(await told(deps)).toEqual([]);
  });

  test('does not delay applying, and receives the events applied meanwhile', async () => {
    const deps = await withOrder();
    // Another session is taking its name and does not finish: the creation has the endpoints, and
    // waits.
    const letGo = await holdLock(
      deps,
      `INSERT INTO webhook_endpoints (merchant, name, url, source, created_at, updated_at)
        VALUES ('default', 'erp', 'handler:a', 'api', now(), now())`,
    );
    const making = makeEndpoint(deps, 'erp');
    await waiting(deps, 1);
    const [outcome] = await pay(deps);
    expect(outcome?.events).toEqual([{ outcome: 'applied' }]);
    expect(await eventOf(deps)).toMatchObject({ fannedOutAt: null });
    await letGo();
    await making;
    await fanOut(deps, 10);
    expect(await told(deps)).toEqual([['erp', 'pending', null]]);
  });
});

test('applying does not wait for a sender', async () => {
  const deps = await withOrder();
  const { id } = await makeEndpoint(deps, 'erp');
  // The lock of a transaction that claims, records or disables.
  const lock = `SELECT FROM webhook_endpoints WHERE id = ${id} FOR NO KEY UPDATE`;
  const letGo = await holdLock(deps, lock);
  await pay(deps);
  expect(await told(deps)).toEqual([['erp', 'pending', null]]);
  await letGo();
});

test('a delivery that was created while failures disabled the endpoint is parked, and not forgotten', async () => {
  const deps = await withOrder();
  const { id } = await makeEndpoint(deps, 'erp');
  const letGo = await holdLock(
    deps,
    `UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = 'failing' WHERE id = ${id}`,
  );
  await pay(deps);
  await letGo();
  await deps.prisma.webhookEndpoint.update({
    where: { id },
    data: { disabledAt: deps.now, disabledReason: 'failing' },
  });
  expect(await told(deps)).toEqual([['erp', 'pending', null]]);
  deliver(deps);
  await eventually(async () =>
    expect(await told(deps)).toEqual([['erp', 'parked', 'endpoint_disabled']]),
  );
});
