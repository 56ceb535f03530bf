/**
 * A server with another time zone: PostgreSQL takes the time zone of the machine at its
 * installation.
 */
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { closeOrder, registerOrder } from '@payonce/orders/registration/register';
import { createPrisma } from '@payonce/prisma/client';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, onTestFinished, test } from 'vitest';
import { apply, minute, notification, orderRow, paid, payment, terms } from './database-support.js';
import {
  type DeliveryDatabase,
  deliver,
  deliveryDatabase,
  MINUTE,
  makeEndpoint,
  pass,
} from './deliveries.js';

async function inShanghai(): Promise<DeliveryDatabase> {
  const deps = await deliveryDatabase();
  const url = new URL(deps.url);
  url.searchParams.set('options', '-c timezone=Asia/Shanghai');
  const prisma = createPrisma({ url: url.href, poolSize: 4, applicationName: 'test' });
  onTestFinished(() => prisma.$disconnect());
  return Object.assign(deps, { prisma });
}

test('times are the same in every way of writing and reading', async () => {
  const deps = await inShanghai();
  deps.now = minute(3);
  await registerOrder(deps, terms('A1'));
  const long = new Date('1900-01-01T00:00:00Z');
  await apply(deps, notification(payment('A1', 'T1', { facts: [paid('T1', minute(1))] })));
  await apply(deps, notification(payment('A1', 'T2', { facts: [paid('T2', long)] })));
  const { createdAt, paidAt, facts } = await orderRow(deps, 'A1');
  expect({ createdAt, paidAt, at: facts.map((fact) => fact.at) }).toEqual({
    createdAt: minute(3),
    paidAt: long,
    at: [minute(1), long],
  });
  const [stored] = await deps.prisma.$queryRaw<unknown[]>`
    SELECT extract(epoch FROM created_at)::float8 AS made, extract(epoch FROM paid_at)::float8 AS paid
    FROM orders`;
  expect(stored).toEqual({ made: minute(3).getTime() / 1000, paid: long.getTime() / 1000 });
});

test('a held event is due at its stated time, and the holder of a lease can record its delivery', async () => {
  const deps = await inShanghai();
  await apply(deps, notification(payment('B1')));
  pass(deps, 60 * MINUTE);
  expect(await retryHeld(deps, 10)).toEqual({ looked: 1, released: 0 });

  await makeEndpoint(deps, 'local', 'handler:local');
  await registerOrder(deps, terms('C1'));
  await closeOrder(deps, terms('C1'));
  deliver(deps, { handlers: { local: async () => undefined } });
  await eventually(async () =>
    expect(await deps.prisma.delivery.findFirst()).toMatchObject({ state: 'delivered' }),
  );
});
