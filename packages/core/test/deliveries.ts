/** Endpoints and order events, as a merchant's shop would have them. */
import { randomBytes } from 'node:crypto';
import { createEndpoint, type EndpointDeps } from '@payonce/core/deliveries/endpoints';
import type { EventType } from '@payonce/core/deliveries/event-types';
import { createAddressPolicy, parseNetwork } from '@payonce/core/deliveries/networks';
import { closeOrder, registerOrder } from '@payonce/core/orders/register';
import { type TestDatabase, terms, testDatabase } from './database-support.js';

export type DeliveryDatabase = TestDatabase & EndpointDeps;

export async function deliveryDatabase(poolSize = 4): Promise<DeliveryDatabase> {
  const loopback = parseNetwork('127.0.0.1/32');
  const policy = createAddressPolicy(loopback ? [loopback] : []);
  return Object.assign(await testDatabase(poolSize), { encryptionKey: randomBytes(32), policy });
}

export const lin = { actor: 'lin', reason: 'the shop moved' };

/** An endpoint of merchant `default`, and its secret. */
export async function makeEndpoint(
  deps: EndpointDeps,
  name = 'erp',
  url = 'http://127.0.0.1:9/hooks',
  eventTypes: readonly EventType[] = [],
) {
  const made = await createEndpoint(deps, { ...lin, merchant: 'default', name, url, eventTypes });
  if (made.result !== 'done') throw new Error(`no endpoint: ${made.result}`);
  return { id: made.endpoint.id, secret: made.secret ?? '' };
}

/** A registered order that was closed: one order event, `order.closed`. */
export async function closedOrder(deps: TestDatabase, number = 'A1'): Promise<bigint> {
  await registerOrder(deps, terms(number));
  await closeOrder(deps, terms(number));
  const event = await deps.prisma.orderEvent.findFirstOrThrow({
    where: { order: { number } },
    orderBy: { id: 'desc' },
  });
  return event.id;
}

export const deliveryOf = (deps: TestDatabase, id: bigint) =>
  deps.prisma.delivery.findUniqueOrThrow({ where: { id }, include: { history: true } });
