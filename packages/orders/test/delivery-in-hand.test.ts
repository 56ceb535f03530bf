import { disableEndpoint, enableEndpoint } from '@payonce/orders/endpoints/switch';
import { registerOrder } from '@payonce/orders/registration/register';
import { eventually } from '@payonce/testkit/machine/poll';
import { expect, test } from 'vitest';
import { apply, notification, payment, refundTotal, statement, terms } from './database-support.js';
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
import { hookServer, ok, verify } from './hooks.js';

test('a crash between sending and recording: it is sent again, with the same ID', async () => {
  const deps = await deliveryDatabase();
  const answers: (() => void)[] = [];
  const shop = await hookServer((response, heard) => {
    answers.push(() => ok(response, heard));
  });
  const { secret } = await makeEndpoint(deps, 'erp', shop.url);
  await closedOrder(deps);
  const crashing = deliver(deps, {
    sizes: { concurrency: 5, perEndpoint: 5, pollMs: 25, drainMs: 1 },
  });
  await eventually(() => expect(shop.heard).toHaveLength(1));
  // The merchant's system has it; the worker ends without its answer.
  await crashing.stop();
  expect(await deps.prisma.deliveryAttempt.count()).toBe(0);
  const [left] = await deps.prisma.delivery.findMany();
  expect(left).toMatchObject({ state: 'pending', attempts: 0 });
  expect(left?.leaseUntil?.getTime()).toBeGreaterThan(deps.now.getTime());
  deliver(deps);
  pass(deps, MINUTE);
  await eventually(() => expect(shop.heard).toHaveLength(2));
  for (const answer of answers) answer();
  await eventually(async () => {
    const [row] = await deps.prisma.delivery.findMany();
    expect(row).toMatchObject({ state: 'delivered', attempts: 1 });
  });
  const [first, second] = shop.heard;
  if (!first || !second) throw new Error('nothing was heard');
  expect(second.id).toBe(first.id);
  expect(second.body).toBe(first.body);
  verify(secret, second);
});

test('a result after the end of the lease does not replace that of another worker', async () => {
  const deps = await deliveryDatabase();
  const answers: (() => void)[] = [];
  const shop = await hookServer((response) => {
    const status = answers.length === 0 ? 500 : 204;
    answers.push(() => void response.writeHead(status).end());
  });
  await makeEndpoint(deps, 'erp', shop.url);
  await closedOrder(deps);
  const results: string[] = [];
  const onAttempt = (_attempt: unknown, recorded: string) => void results.push(recorded);
  deliver(deps, { onAttempt });
  await eventually(() => expect(answers).toHaveLength(1));
  // A paused worker: its lease is over, and the next worker claims the delivery.
  pass(deps, MINUTE);
  deliver(deps, { onAttempt });
  await eventually(() => expect(answers).toHaveLength(2));
  answers[1]?.();
  await eventually(async () => {
    expect(await deps.prisma.delivery.count({ where: { state: 'delivered' } })).toBe(1);
  });
  answers[0]?.();
  await eventually(() => expect(results).toEqual(['delivered', 'late']));
  expect(await deps.prisma.delivery.findMany()).toMatchObject([
    { state: 'delivered', attempts: 1 },
  ]);
  expect(await deps.prisma.deliveryAttempt.count()).toBe(1);
});

test("an order's later event waits for one under way, even if that was parked meanwhile", async () => {
  const deps = await deliveryDatabase();
  const answers: (() => void)[] = [];
  const shop = await hookServer((response, heard) => {
    answers.push(() => ok(response, heard));
  });
  const { id } = await makeEndpoint(deps, 'erp', shop.url);
  await registerOrder(deps, terms('A1'));
  await apply(deps, notification(payment('A1')));
  deliver(deps);
  await eventually(() => expect(shop.told()).toEqual(['A1 paid']));
  await disableEndpoint(deps, { ...lin, endpoint: id });
  await enableEndpoint(deps, { ...lin, endpoint: id });
  await apply(deps, notification(statement('A1', 'T-A1', [refundTotal('T-A1', 1000n)])));
  await closedOrder(deps, 'B1');
  await eventually(() => expect(shop.heard).toHaveLength(2));
  expect(shop.told()).toEqual(['A1 paid', 'B1 closed']);
  await eventually(() => {
    for (const answer of answers.splice(0)) answer();
    expect(shop.told()).toEqual(['A1 paid', 'B1 closed', 'A1 1000']);
  });
});

test('a slow endpoint takes no room from others, and no transaction is open while it is waited for', async () => {
  const deps = await deliveryDatabase();
  const answers: (() => void)[] = [];
  const slow = await hookServer((response, heard) => {
    answers.push(() => ok(response, heard));
  });
  const quick = await hookServer();
  await makeEndpoint(deps, 'slow', slow.url);
  await makeEndpoint(deps, 'quick', quick.url);
  const numbers = Array.from({ length: 12 }, (_, index) => `A${index}`);
  for (const number of numbers) await closedOrder(deps, number);
  deliver(deps, { sizes: { concurrency: 5, perEndpoint: 4, pollMs: 25, drainMs: 5_000 } });
  await eventually(() => expect(quick.heard).toHaveLength(12));
  expect(slow.heard).toHaveLength(4);
  await eventually(async () => {
    const open = await deps.prisma.$queryRaw<{ state: string }[]>`
      SELECT state FROM pg_stat_activity WHERE datname = current_database()
        AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`;
    expect(open).toEqual([]);
  });
  await eventually(() => {
    for (const answer of answers.splice(0)) answer();
    expect(slow.heard).toHaveLength(12);
  });
});

test('events without fan-out or claim are found however old their IDs are', async () => {
  const deps = await deliveryDatabase();
  const shop = await hookServer();
  await makeEndpoint(deps, 'erp', shop.url);
  await refundedOrder(deps, 'A1');
  deliver(deps);
  await eventually(() => expect(shop.heard).toHaveLength(3));
  // As if the transaction of an earlier ID had been committed after all later ones were delivered.
  await deps.prisma.$executeRaw`DELETE FROM delivery_attempts`;
  await deps.prisma.$executeRaw`DELETE FROM deliveries WHERE order_event_id = 1`;
  await deps.prisma.$executeRaw`UPDATE order_events SET fanned_out_at = NULL WHERE id = 1`;
  await eventually(() => expect(shop.told()).toEqual(['A1 paid', 'A1 1000', 'A1 8888', 'A1 paid']));
});
