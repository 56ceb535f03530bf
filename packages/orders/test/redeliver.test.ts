import { redeliverDelivery, rejectDelivery } from '@payonce/orders/deliveries/redeliver';
import { redeliverOrderEvent, redeliverParked } from '@payonce/orders/deliveries/redeliver-many';
import { disableEndpoint, enableEndpoint } from '@payonce/orders/endpoints/switch';
import { describe, expect, test } from 'vitest';
import {
  closedOrder,
  type DeliveryDatabase,
  deliveryDatabase,
  deliveryOf,
  lin,
  makeEndpoint,
} from './deliveries.js';
import { auditRows } from './held.js';

type Delivery = Awaited<ReturnType<typeof deliveryOf>>;

/** One order event, and its delivery to one endpoint in the given state. */
async function delivery(state: Partial<Delivery>) {
  const deps = await deliveryDatabase();
  const { id: endpoint } = await makeEndpoint(deps);
  const event = await closedOrder(deps);
  const made = await redeliverOrderEvent(deps, { ...lin, orderEvent: event });
  if (made.result !== 'done') throw new Error(made.result);
  const [id = 0n] = made.deliveries;
  const { history: _, ...data } = state;
  await deps.prisma.delivery.update({ where: { id }, data });
  return { deps, endpoint, event, id };
}

const actionsOf = async (deps: DeliveryDatabase) =>
  (await auditRows(deps)).map(({ action }) => action);

describe('redelivering one delivery', () => {
  test.each<[string, Partial<Delivery>]>([
    ['delivered', { state: 'delivered', deliveredAt: new Date() }],
    ['exhausted', { state: 'parked', parkedReason: 'exhausted', attempts: 10 }],
    ['rejected', { state: 'parked', parkedReason: 'rejected' }],
    ['pending', { attempts: 3, nextAttemptAt: new Date(Date.UTC(2030, 0)) }],
  ])('%s: it is due now, with all its attempts, and recorded', async (_name, state) => {
    const { deps, endpoint, id } = await delivery(state);
    expect(await redeliverDelivery(deps, { ...lin, delivery: id })).toEqual({ result: 'done' });
    expect(await deliveryOf(deps, id)).toMatchObject({
      state: 'pending',
      parkedReason: null,
      attempts: 0,
      nextAttemptAt: deps.now,
    });
    const [last] = (await auditRows(deps)).slice(-1);
    expect(last).toMatchObject({
      action: 'delivery.redeliver',
      deliveryId: id,
      endpointId: endpoint,
      detail: { reason: lin.reason, state: state.state ?? 'pending' },
    });
  });

  test('is refused while it is being sent, and while its endpoint is disabled', async () => {
    const { deps, endpoint, id } = await delivery({});
    const leaseUntil = new Date(deps.now.getTime() + 1);
    await deps.prisma.delivery.update({ where: { id }, data: { leaseUntil } });
    expect(await redeliverDelivery(deps, { ...lin, delivery: id })).toEqual({ result: 'in_hand' });
    await disableEndpoint(deps, { ...lin, endpoint });
    expect(await redeliverDelivery(deps, { ...lin, delivery: id })).toEqual({
      result: 'endpoint_disabled',
    });
    expect(await redeliverDelivery(deps, { ...lin, delivery: 999n })).toEqual({
      result: 'unknown_delivery',
    });
  });
});

describe('rejecting a delivery', () => {
  test('parks it, once; a delivered one cannot be rejected', async () => {
    const { deps, id } = await delivery({});
    expect(await rejectDelivery(deps, { ...lin, delivery: id })).toEqual({
      result: 'done',
      again: false,
    });
    expect(await rejectDelivery(deps, { ...lin, delivery: id })).toEqual({
      result: 'done',
      again: true,
    });
    expect(await deliveryOf(deps, id)).toMatchObject({ state: 'parked', parkedReason: 'rejected' });
    expect((await actionsOf(deps)).filter((action) => action === 'delivery.reject')).toHaveLength(
      1,
    );
    await deps.prisma.delivery.update({
      where: { id },
      data: { state: 'delivered', parkedReason: null, deliveredAt: deps.now },
    });
    expect(await rejectDelivery(deps, { ...lin, delivery: id })).toEqual({ result: 'delivered' });
  });
});

describe('redelivering an order event', () => {
  test('reaches every enabled endpoint that wants it, also one that did not exist then', async () => {
    const { deps, event, id } = await delivery({ state: 'delivered', deliveredAt: new Date() });
    const late = await makeEndpoint(deps, 'late');
    const picky = await makeEndpoint(deps, 'picky', 'https://shop.example/', ['order.paid']);
    const off = await makeEndpoint(deps, 'off');
    await disableEndpoint(deps, { ...lin, endpoint: off.id });
    const told = await redeliverOrderEvent(deps, { ...lin, orderEvent: event });
    expect(told).toMatchObject({ result: 'done', deliveries: [id, expect.anything()] });
    const rows = await deps.prisma.delivery.findMany({ orderBy: { id: 'asc' } });
    expect(rows.map((row) => row.state)).toEqual(['pending', 'pending']);
    expect(rows[1]?.endpointId).toBe(late.id);
    // To one by ID: also an event that it did not want.
    const one = { ...lin, orderEvent: event };
    expect(await redeliverOrderEvent(deps, { ...one, endpoint: picky.id })).toMatchObject({
      deliveries: [expect.anything()],
    });
    expect(await redeliverOrderEvent(deps, { ...one, endpoint: off.id })).toEqual({
      result: 'endpoint_disabled',
    });
    expect(await redeliverOrderEvent(deps, { ...one, endpoint: 999n })).toEqual({
      result: 'unknown_endpoint',
    });
    expect(await redeliverOrderEvent(deps, { ...lin, orderEvent: 999n })).toEqual({
      result: 'unknown_order_event',
    });
  });
});

test('an endpoint that was disabled gets everything parked for it meanwhile, except rejected deliveries', async () => {
  const { deps, endpoint, id } = await delivery({});
  await disableEndpoint(deps, { ...lin, endpoint });
  expect(await deliveryOf(deps, id)).toMatchObject({ parkedReason: 'endpoint_disabled' });
  expect(await redeliverParked(deps, { ...lin, endpoint })).toEqual({
    result: 'endpoint_disabled',
  });
  await enableEndpoint(deps, { ...lin, endpoint });
  expect(await redeliverParked(deps, { ...lin, endpoint })).toEqual({
    result: 'done',
    deliveries: 1,
  });
  expect(await deliveryOf(deps, id)).toMatchObject({ state: 'pending', attempts: 0 });
  await rejectDelivery(deps, { ...lin, delivery: id });
  expect(await redeliverParked(deps, { ...lin, endpoint })).toEqual({
    result: 'done',
    deliveries: 0,
  });
});
