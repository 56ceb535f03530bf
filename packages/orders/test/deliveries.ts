/** Endpoints and order events of a merchant's shop. */

import { randomBytes } from 'node:crypto';
import {
  type Deliveries,
  type DeliveryOptions,
  startDeliveries,
} from '@payonce/orders/deliveries/loop';
import type { RecordDeps } from '@payonce/orders/deliveries/record-attempts';
import { createEndpoint, type EndpointDeps } from '@payonce/orders/endpoints/commands';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import type { EventType } from '@payonce/orders/endpoints/event-types';
import { createAddressPolicy, parseNetwork } from '@payonce/orders/endpoints/networks';
import { closeOrder, registerOrder } from '@payonce/orders/registration/register';
import { onTestFinished } from 'vitest';
import {
  apply,
  notification,
  payment,
  refundTotal,
  statement,
  type TestDatabase,
  terms,
  testDatabase,
} from './database-support.js';

export type DeliveryDatabase = TestDatabase & EndpointDeps;

export async function deliveryDatabase(): Promise<DeliveryDatabase> {
  const loopback = parseNetwork('127.0.0.1/32');
  const policy = createAddressPolicy(loopback ? [loopback] : []);
  const deps = await testDatabase();
  // A receiver compares a signature's time with the machine's clock.
  deps.now = new Date();
  const encryptionKeys: EncryptionKeys = [{ id: null, key: randomBytes(32) }];
  return Object.assign(deps, { encryptionKeys, policy });
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

/** Waits without real delays: tests advance the clock. */
export const MINUTE = 60_000;

export function pass(deps: TestDatabase, ms: number): void {
  deps.now = new Date(deps.now.getTime() + ms);
}

/** The loop as a worker runs it; stopped when the test ends. */
export function deliver(
  deps: DeliveryDatabase,
  changes: Partial<DeliveryOptions> = {},
): Deliveries {
  const deliveries = startDeliveries({
    deps: { ...recordDeps(deps), ...changes.deps },
    encryptionKeys: deps.encryptionKeys,
    guard: { policy: deps.policy },
    ...changes,
    sizes: { concurrency: 20, perEndpoint: 5, pollMs: 25, drainMs: 5_000, ...changes.sizes },
  });
  onTestFinished(() => deliveries.stop());
  return deliveries;
}

function recordDeps(deps: DeliveryDatabase): RecordDeps {
  // A getter: the present clock, not a copy.
  return {
    prisma: deps.prisma,
    log: deps.log,
    clock: () => deps.now,
    disableAfterMs: 5 * 24 * 60 * MINUTE,
    random: () => 0,
  };
}

/** A registered order, paid and refunded in two parts: three order events. */
export async function refundedOrder(deps: TestDatabase, number = 'A1'): Promise<void> {
  await registerOrder(deps, terms(number));
  const trade = `T-${number}`;
  await apply(deps, notification(payment(number, trade)));
  for (const total of [1000n, 8888n]) {
    await apply(deps, notification(statement(number, trade, [refundTotal(trade, total)])));
  }
}
