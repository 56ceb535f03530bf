/** A process with a clock that was wrong by a year has written times, and is gone. */
import { claimRequest } from '@payonce/orders/access/idempotent-requests';
import { claimDeliveries } from '@payonce/orders/deliveries/claim';
import { fanOut } from '@payonce/orders/deliveries/fan-out';
import { LEASE_MS } from '@payonce/orders/deliveries/lease';
import { redeliverDelivery } from '@payonce/orders/deliveries/redeliver';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { apply, notification, payment, testDatabase } from './database-support.js';
import {
  closedOrder,
  type DeliveryDatabase,
  deliver,
  deliveryDatabase,
  lin,
  makeEndpoint,
} from './deliveries.js';

const YEAR_MS = 365 * 86_400_000;
const inAYear = ({ now }: { readonly now: Date }) => new Date(now.getTime() + YEAR_MS);
const handlers = { local: async () => undefined };
const capabilities = { encryptionKeys: null, handlers: ['local'] };

/** One delivery that waits for a handler of this process. */
async function waiting(): Promise<DeliveryDatabase & { readonly endpointId: bigint }> {
  const deps = await deliveryDatabase();
  const { id: endpointId } = await makeEndpoint(deps, 'local', 'handler:local');
  await closedOrder(deps);
  await fanOut(deps, 10);
  return Object.assign(deps, { endpointId });
}

const state = async ({ prisma }: DeliveryDatabase) => (await prisma.delivery.findFirst())?.state;

test('a delivery that a worker a year ahead claimed is sent once that worker is gone', async () => {
  const deps = await waiting();
  const ahead = { ...deps, clock: () => inAYear(deps) };
  const limits = { room: 5, inHand: 0, leaseMs: LEASE_MS };
  const claimed = await claimDeliveries(ahead, capabilities, deps.endpointId, limits);
  expect(claimed.result).toBe('claimed');
  deliver(deps, { handlers });
  await eventually(async () => expect(await state(deps)).toBe('delivered'));
});

test('a valid lease is kept, and an operator may resend a delivery with a wrong one', async () => {
  const deps = await waiting();
  const limits = { room: 5, inHand: 0, leaseMs: LEASE_MS };
  await claimDeliveries(deps, capabilities, deps.endpointId, limits);
  const again = await claimDeliveries(deps, capabilities, deps.endpointId, limits);
  expect(again.result).toBe('nothing');
  const delivery = (await deps.prisma.delivery.findFirstOrThrow()).id;
  expect(await redeliverDelivery(deps, { ...lin, delivery })).toEqual({ result: 'in_hand' });
  await deps.prisma.delivery.updateMany({ data: { leaseUntil: inAYear(deps) } });
  expect(await redeliverDelivery(deps, { ...lin, delivery })).toEqual({ result: 'done' });
});

test.each([
  [
    'a try planned',
    (deps: DeliveryDatabase) =>
      deps.prisma.delivery.updateMany({ data: { nextAttemptAt: inAYear(deps) } }),
  ],
  [
    'a circuit open until',
    (deps: DeliveryDatabase) =>
      deps.prisma.webhookEndpoint.updateMany({ data: { openUntil: inAYear(deps), failures: 9 } }),
  ],
])('%s in a year delays nothing', async (_what, misdate) => {
  const deps = await waiting();
  await misdate(deps);
  deliver(deps, { handlers });
  await eventually(async () => expect(await state(deps)).toBe('delivered'));
});

test('a try that is planned for tomorrow is not made today', async () => {
  const deps = await waiting();
  const tomorrow = new Date(deps.now.getTime() + 24 * 3_600_000);
  await deps.prisma.delivery.updateMany({ data: { nextAttemptAt: tomorrow } });
  deliver(deps, { handlers }).nudge();
  await closedOrder(deps, 'A2');
  await eventually(async () =>
    expect(await deps.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(1),
  );
  expect((await deps.prisma.delivery.findFirstOrThrow({ orderBy: { id: 'asc' } })).state).toBe(
    'pending',
  );
});

test('a held event whose next look was planned for a year from now is decided', async () => {
  const deps = await testDatabase();
  await apply(deps, notification(payment('A1')));
  await deps.prisma.notificationEvent.updateMany({ data: { nextRetryAt: inAYear(deps) } });
  expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 0 });
  expect(await retryHeld(deps, 10)).toEqual({ looked: 0, released: 0 });
});

test('a request that a console a year ahead had claimed can be sent again', async () => {
  const deps = await testDatabase();
  const request = { actor: 'shop', key: 'k1', requestHash: 'a'.repeat(64) };
  await claimRequest({ ...deps, clock: () => inAYear(deps) }, request);
  expect((await claimRequest(deps, request)).result).toBe('claimed');
  expect((await claimRequest(deps, request)).result).toBe('in_hand');
});
