/**
 * Two merchants, operators and the schedule work on the same trades, each in a separate process.
 */
import { flagContested } from '@payonce/orders/notifications/trades/flag-contested';
import { deriveOrder } from '@payonce/orders/orders/derive';
import { readFacts } from '@payonce/orders/orders/fact-rows';
import { registerOrders } from '@payonce/orders/registration/register';
import { runScript } from '@payonce/testkit/machine/output';
import { expect, onTestFinished, test } from 'vitest';
import {
  type TestDatabase,
  terms,
  testDatabase,
} from '../packages/orders/test/database-support.js';

const TRADES = process.env.PAYONCE_TEST_FULL ? 1_000 : 60;
/** At the full size. */
const LIMIT_MS = 300_000;
const HOSTILE = 'hostile';
const places = Array.from({ length: TRADES }, (_, place) => place);

/** Uses the built product: Node itself reads no TypeScript. */
const PREPARE = `
  import { randomBytes } from 'node:crypto';
  import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
  import { changeTrade } from '@payonce/orders/notifications/trades/trade-release';
  import { flagContested } from '@payonce/orders/notifications/trades/flag-contested';
  import { createPrisma } from '@payonce/prisma/client';

  const { url, trades } = JSON.parse(process.argv[1]);
  const prisma = createPrisma({ url, poolSize: 2, applicationName: 'trades' });
  const told = [];
  const log = { warn: (...line) => told.push(line), error: (...line) => told.push(line), info() {} };
  const deps = { prisma, log, clock: () => new Date() };
  const hex = () => randomBytes(32).toString('hex');
  const payment = (merchant, number, place) => {
    const paid = { kind: 'paid', rail: 'alipay', trade: 'T' + place, amount: 8888n, at: new Date(0) };
    const event = { kind: 'order', rail: 'alipay', orderNumber: number + place, trade: paid.trade,
      amount: 8888n, currency: 'CNY', payeeMatches: true, signed: true, facts: [paid] };
    return { provider: 'alipay', channel: merchant, merchant, notificationId: hex(), digest: hex(),
      authenticity: 'signed', receivedAt: new Date(), body: Buffer.from('a'), headers: {}, events: [event] };
  };
  const places = Array.from({ length: trades }, (_, place) => place);
  const batches = (all, size) => all.length === 0 ? [] : [all.slice(0, size), ...batches(all.slice(size), size)];
  const apply = async (merchant, number, order, size) => {
    for (const batch of batches(order, size)) {
      await applyNotifications(deps, batch.map((place) => payment(merchant, number, place)));
    }
  };
  const change = (action, number, place) => changeTrade(deps, action, { actor: 'lin', reason: 'test',
    merchant: 'default', number: number + place, rail: 'alipay', trade: 'T' + place });
`;
const FINISH = `
  await prisma.$disconnect();
  console.log(JSON.stringify(told.map(String)));
`;

/** Runs in a separate process. @returns its log: a deadlock leaves a line */
async function inProcess(deps: TestDatabase, work: string): Promise<string[]> {
  const settings = JSON.stringify({ url: deps.url, trades: TRADES });
  const code = `${PREPARE}${work}${FINISH}`;
  const script = runScript(code, { args: [settings], cwd: import.meta.dirname });
  onTestFinished(() => void script.child.kill('SIGKILL'));
  expect(await script.ended, script.stderr()).toBe(0);
  return JSON.parse(script.stdout()) as string[];
}

async function ordersOf(deps: TestDatabase) {
  const rows = await deps.prisma.order.findMany({
    include: { orderEvents: { where: { type: 'order.attention' } } },
  });
  const facts = await readFacts(
    deps.prisma,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({ ...row, state: deriveOrder(facts.get(row.id) ?? []) }));
}

const LOOK_AROUND = 'for (let n = 0; n < 200; n += 1) await flagContested(deps, 5);';

test('two merchants claim the same trades from several processes: no deadlock, each order paid, and flagged once', {
  timeout: LIMIT_MS,
}, async () => {
  const deps = await testDatabase();
  const numbers = places.flatMap((place) => [
    terms(`A${place}`),
    { ...terms(`H${place}`), merchant: HOSTILE },
  ]);
  for (let at = 0; at < numbers.length; at += 500) {
    await registerOrders(deps, numbers.slice(at, at + 500));
  }
  const logged = await Promise.all([
    inProcess(deps, `await apply('default', 'A', places, 7);`),
    inProcess(deps, `await apply('hostile', 'H', places, 5);`),
    inProcess(deps, `await apply('hostile', 'H', places.toReversed(), 11);`),
    inProcess(deps, LOOK_AROUND),
    inProcess(deps, LOOK_AROUND),
  ]);
  expect(logged.flat()).toEqual([]);
  while (await flagContested(deps, 50));
  for (const { number, status, attention, orderEvents } of await ordersOf(deps)) {
    expect([number, status, attention, orderEvents.length]).toEqual([
      number,
      'paid',
      ['contested_trade'],
      1,
    ]);
  }
});

test('releases, revocations and notifications from several processes: no deadlock, and one order per merchant has each trade', {
  timeout: LIMIT_MS,
}, async () => {
  const deps = await testDatabase();
  const numbers = places.flatMap((place) => [terms(`A${place}`), terms(`B${place}`)]);
  for (let at = 0; at < numbers.length; at += 500) {
    await registerOrders(deps, numbers.slice(at, at + 500));
  }
  const logged = await Promise.all([
    inProcess(deps, `await apply('default', 'A', places, 7);`),
    inProcess(deps, `await apply('default', 'B', places.toReversed(), 5);`),
    inProcess(deps, `for (const place of places) await change('release', 'A', place);`),
    inProcess(
      deps,
      `for (const place of places.toReversed()) {
        await change('release', 'B', place);
        await change('reinstate', 'A', place);
      }`,
    ),
    inProcess(deps, `for (const place of places) await change('reinstate', 'B', place);`),
  ]);
  expect(logged.flat()).toEqual([]);
  const orders = await ordersOf(deps);
  for (const { number, status, paidAmount, state } of orders) {
    expect([number, status, paidAmount]).toEqual([number, state.status, state.paidAmount]);
  }
  const paid = orders
    .filter(({ status }) => status === 'paid')
    .map(({ primaryTrade }) => primaryTrade);
  expect(new Set(paid).size).toBe(paid.length);
});
