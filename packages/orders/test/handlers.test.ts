import type { Handler } from '@payonce/orders/deliveries/send';
import { createEndpoint } from '@payonce/orders/endpoints/commands';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { deliver, deliveryDatabase, lin, pass, refundedOrder } from './deliveries.js';

const inside = {
  ...lin,
  merchant: 'default',
  name: 'inside',
  url: 'handler:orders',
  eventTypes: [],
} as const;

test('a handler in the process receives events in sequence, and again until it does not throw', async () => {
  const deps = await deliveryDatabase();
  await createEndpoint(deps, inside);
  const told: string[] = [];
  const orders: Handler = async (message, { id }) => {
    if (!message.type.startsWith('order.')) return;
    told.push(`${id.split('_')[1]} ${message.type}`);
    if (told.length === 1) throw new Error('the stock is locked');
  };
  await refundedOrder(deps);
  deliver(deps, { encryptionKeys: null, handlers: { orders } });
  await eventually(async () => {
    const [attempt] = await deps.prisma.deliveryAttempt.findMany();
    expect(attempt).toMatchObject({ status: null, error: 'the stock is locked' });
  });
  pass(deps, 5_000);
  await eventually(async () => {
    expect(await deps.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(3);
  });
  expect(told).toEqual([
    '1 order.paid',
    '1 order.paid',
    '2 order.partially_refunded',
    '3 order.refunded',
  ]);
});

test('a process without the handler leaves its deliveries to one that has it', async () => {
  const deps = await deliveryDatabase();
  await createEndpoint(deps, inside);
  await refundedOrder(deps);
  const without = deliver(deps, { handlers: { others: async () => {} } });
  await eventually(async () => expect(await deps.prisma.delivery.count()).toBe(3));
  await without.stop();
  expect(await deps.prisma.deliveryAttempt.count()).toBe(0);
  deliver(deps, { handlers: { orders: async () => {} } });
  await eventually(async () => {
    expect(await deps.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(3);
  });
});
