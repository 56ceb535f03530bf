import { RETRY_AFTER_MS } from '@payonce/orders/deliveries/retry';
import { rotateSecret } from '@payonce/orders/endpoints/commands';
import type { EncryptionKeys } from '@payonce/orders/endpoints/encryption-keys';
import { registerOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/machine/poll';
import { describe, expect, test } from 'vitest';
import { apply, notification, payment, terms } from './database-support.js';
import {
  closedOrder,
  deliver,
  deliveryDatabase,
  lin,
  MINUTE,
  makeEndpoint,
  pass,
  refundedOrder,
} from './deliveries.js';
import { fail, hookServer, ok, verify } from './hooks.js';

describe('an order event', () => {
  test("reaches each endpoint of its merchant that wants its type, signed with that endpoint's secret", async () => {
    const deps = await deliveryDatabase();
    const [all, paidOnly] = [await hookServer(), await hookServer()];
    const first = await makeEndpoint(deps, 'all', all.url);
    const second = await makeEndpoint(deps, 'paid-only', paidOnly.url, ['order.paid']);
    deliver(deps);
    await refundedOrder(deps);
    await eventually(() => expect(all.told()).toEqual(['A1 paid', 'A1 1000', 'A1 8888']));
    expect(paidOnly.told()).toEqual(['A1 paid']);
    const [heard] = all.heard;
    const [other] = paidOnly.heard;
    if (!heard || !other) throw new Error('nothing was heard');
    expect(verify(first.secret, heard)).toMatchObject({
      type: 'order.paid',
      data: {
        orderNumber: 'A1',
        amount: '8888',
        status: 'paid',
        version: 1,
        trade: { trade: 'T-A1' },
      },
    });
    expect(() => verify(second.secret, heard)).toThrow();
    verify(second.secret, other);
    expect(other.id).toBe(heard.id);
    await eventually(async () => {
      const rows = await deps.prisma.delivery.findMany({ include: { history: true } });
      expect(rows).toHaveLength(4);
      for (const row of rows) {
        expect(row).toMatchObject({ state: 'delivered', attempts: 1, leaseUntil: null });
        expect(row.history).toMatchObject([{ status: 204, error: null }]);
      }
    });
  });

  test('of a held notification is delivered, too', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer();
    await makeEndpoint(deps, 'erp', shop.url, ['notification.held']);
    deliver(deps);
    await apply(deps, notification(payment('unknown')));
    await eventually(() => expect(shop.heard).toHaveLength(1));
    expect(shop.heard[0]?.message).toMatchObject({
      type: 'notification.held',
      data: { reason: 'unknown_order', orderNumber: 'unknown' },
    });
  });

  test('is repeated with the same ID and the same bytes, until the response is 2xx', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer((response, heard) =>
      (shop.heard.length < 3 ? fail : ok)(response, heard),
    );
    const { secret } = await makeEndpoint(deps, 'erp', shop.url);
    const id = await closedOrder(deps);
    deliver(deps);
    for (const [tries, wait] of [5_000, 5 * MINUTE].entries()) {
      await eventually(async () => {
        const [row] = await deps.prisma.delivery.findMany();
        expect(row).toMatchObject({ attempts: tries + 1, state: 'pending', leaseUntil: null });
      });
      pass(deps, wait);
    }
    await eventually(async () => {
      const row = await deps.prisma.delivery.findFirstOrThrow({ where: { orderEventId: id } });
      expect(row).toMatchObject({ state: 'delivered', attempts: 3 });
    });
    expect(new Set(shop.heard.map((heard) => heard.id)).size).toBe(1);
    expect(new Set(shop.heard.map((heard) => heard.body)).size).toBe(1);
    const [first, , third] = shop.heard;
    if (!first || !third) throw new Error('not heard');
    verify(secret, first);
    // Each try signs another time: an old one would be refused as a replay.
    expect(third.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp']);
    const history = await deps.prisma.deliveryAttempt.findMany({ orderBy: { id: 'asc' } });
    expect(history.map((row) => row.status)).toEqual([500, 500, 204]);
    expect(Buffer.from(history[0]?.response ?? []).toString()).toBe('not today');
  });
});

describe("an order's events go out in sequence", () => {
  test('a later one waits while an earlier one fails; those of other orders do not', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer((response, heard) => {
      const isFirst = heard.message.data.milestone === 'paid';
      (isFirst && shop.heard.length < 2 ? fail : ok)(response, heard);
    });
    await makeEndpoint(deps, 'erp', shop.url);
    await refundedOrder(deps);
    deliver(deps);
    await eventually(async () => {
      expect(await deps.prisma.delivery.count({ where: { attempts: 1, leaseUntil: null } })).toBe(
        1,
      );
    });
    await closedOrder(deps, 'B1');
    await eventually(() => expect(shop.told()).toContain('B1 closed'));
    expect(shop.told()).not.toContain('A1 1000');
    pass(deps, 5_000);
    await eventually(() => expect(shop.told()).toContain('A1 8888'));
    expect(shop.told().filter((line) => line.startsWith('A1'))).toEqual([
      'A1 paid',
      'A1 paid',
      'A1 1000',
      'A1 8888',
    ]);
  });

  test('one that is parked stops blocking those after it', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer((response, heard) =>
      (heard.message.data.milestone === 'paid' ? fail : ok)(response, heard),
    );
    await makeEndpoint(deps, 'erp', shop.url);
    await refundedOrder(deps);
    deliver(deps);
    // At the end the circuit is open for a quarter of an hour.
    for (const [index, wait] of [...RETRY_AFTER_MS, 15 * MINUTE].entries()) {
      await eventually(async () => {
        const [first] = await deps.prisma.delivery.findMany({ orderBy: { id: 'asc' } });
        expect(first).toMatchObject({ attempts: index + 1, leaseUntil: null });
      });
      pass(deps, wait);
    }
    const [first] = await deps.prisma.delivery.findMany({ orderBy: { id: 'asc' } });
    expect(first).toMatchObject({ state: 'parked', parkedReason: 'exhausted' });
    await eventually(() => expect(shop.told().slice(10)).toEqual(['A1 1000', 'A1 8888']));
  });

  test('also while an earlier one is not fanned out yet', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer();
    await makeEndpoint(deps, 'erp', shop.url);
    await refundedOrder(deps);
    const [first, second] = await deps.prisma.orderEvent.findMany({ orderBy: { id: 'asc' } });
    if (!first || !second) throw new Error('no order events');
    // Another worker holds the first one and is slow: it is skipped, and the following ones wait.
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = deps.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT FROM order_events WHERE id = ${first.id} FOR UPDATE`;
      deliver(deps);
      await eventually(async () => {
        expect(await deps.prisma.orderEvent.count({ where: { fannedOutAt: { not: null } } })).toBe(
          2,
        );
      });
      await closedOrder(deps, 'B1');
      await eventually(() => expect(shop.told()).toEqual(['B1 closed']));
      await released;
    });
    release();
    await slow;
    await eventually(() =>
      expect(shop.told()).toEqual(['B1 closed', 'A1 paid', 'A1 1000', 'A1 8888']),
    );
  });

  test('two workers at once deliver each event once while all is well, and never out of order', async () => {
    const deps = await deliveryDatabase();
    const shop = await hookServer();
    await makeEndpoint(deps, 'erp', shop.url);
    const numbers = Array.from({ length: 15 }, (_, index) => `O${index}`);
    deliver(deps);
    deliver(deps);
    await Promise.all(numbers.map((number) => refundedOrder(deps, number)));
    await eventually(() => expect(shop.heard).toHaveLength(45));
    for (const number of numbers) {
      const versions = shop.heard
        .filter(({ message }) => message.data.orderNumber === number)
        .map(({ message }) => message.data.version);
      expect(versions).toEqual([1, 2, 3]);
    }
  });
});

test('a rotated secret signs beside the new one for the grace period, then no more', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  const { id: endpoint, secret: old } = await makeEndpoint(deps, 'erp', shop.url);
  const rotated = await rotateSecret(deps, { ...lin, endpoint, graceMs: 2 * MINUTE });
  if (rotated.result !== 'done') throw new Error(rotated.result);
  deliver(deps);
  await closedOrder(deps, 'A1');
  await eventually(() => expect(shop.heard).toHaveLength(1));
  pass(deps, 2 * MINUTE);
  await closedOrder(deps, 'A2');
  await eventually(() => expect(shop.heard).toHaveLength(2));
  const [during, after] = shop.heard;
  if (!during || !after) throw new Error('nothing was heard');
  verify(old, during);
  verify(rotated.secret ?? '', during);
  verify(rotated.secret ?? '', after);
  expect(() => verify(old, after)).toThrow();
});

test('an event that cannot be signed is not sent, and does not count as a failure', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  const { id } = await makeEndpoint(deps, 'erp', shop.url);
  await registerOrder(deps, terms('A1'));
  await closedOrder(deps, 'A2');
  const others: EncryptionKeys = [{ id: null, key: Buffer.alloc(32, 1) }];
  for (const encryptionKeys of [null, others]) {
    const deliveries = deliver(deps, { encryptionKeys });
    await eventually(async () => expect(await deps.prisma.delivery.count()).toBe(1));
    await deliveries.stop();
  }
  expect(shop.heard).toEqual([]);
  expect(await deps.prisma.deliveryAttempt.count()).toBe(0);
  expect(await deps.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).toMatchObject({
    failures: 0,
  });
});
