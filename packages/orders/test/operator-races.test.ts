/** An operator in competition with everything else that may lock the same event. */
import { applyNotifications } from '@payonce/orders/notifications/apply/apply';
import {
  acceptHeldEvent,
  rejectHeldEvent,
  retryEvent,
} from '@payonce/orders/notifications/held/operator';
import { retryHeld } from '@payonce/orders/notifications/held/retry-held';
import { registerOrder } from '@payonce/orders/registration/register';
import { expect, test } from 'vitest';
import {
  minute,
  notification,
  orderRow,
  payment,
  terms,
  testDatabase,
} from './database-support.js';
import { auditRows, command, operator } from './held.js';
import { holdLock, waiting } from './interleaving.js';

const mismatched = (number: string) => notification(payment(number, undefined, { amount: 1n }));

test('accepted, rejected, retried, re-sent and scheduled at once: one of them decides, and once', async () => {
  const deps = await testDatabase();
  for (let round = 0; round < 20; round += 1) {
    const number = `R${round}`;
    await registerOrder(deps, terms(number));
    const notice = mismatched(number);
    await applyNotifications(deps, [notice]);
    await deps.prisma.$executeRaw`UPDATE notification_events SET next_retry_at = now()
      WHERE order_number = ${number}`;
    const one = await command(deps);
    const [accepted, again, rejected] = await Promise.all([
      acceptHeldEvent(deps, one),
      acceptHeldEvent(deps, { ...one, actor: 'wang' }),
      rejectHeldEvent(deps, one),
      retryEvent(deps, one),
      applyNotifications(deps, [notice]),
      retryHeld(deps, 10),
    ]);
    const order = await orderRow(deps, number);
    const isPaid = order.status === 'paid';
    expect([accepted.result, again.result, rejected.result]).toEqual(
      isPaid ? ['done', 'done', 'not_held'] : ['not_held', 'not_held', 'done'],
    );
    expect(order.facts.map(({ kind }) => kind)).toEqual(isPaid ? ['operator'] : []);
    expect(order.version).toBe(isPaid ? 1 : 0);
  }
  const decided = (await auditRows(deps)).filter(({ action }) => action !== 'event.retry');
  expect(decided).toHaveLength(20);
});

test('retried while its order is being registered: applied once, whichever comes first', async () => {
  const deps = await testDatabase();
  for (let round = 0; round < 30; round += 1) {
    const number = `R${round}`;
    await applyNotifications(deps, [notification(payment(number))]);
    const one = await command(deps);
    await Promise.all([registerOrder(deps, terms(number)), retryEvent(deps, one)]);
    expect(await orderRow(deps, number), number).toMatchObject({ status: 'paid', version: 1 });
  }
});

test('rejected while its order is being registered: the first one decides', async () => {
  const deps = await testDatabase();
  await applyNotifications(deps, [notification(payment('A1'))]);
  const one = await command(deps);
  const letGo = await holdLock(deps, 'LOCK TABLE trades IN SHARE MODE');
  // It has locked the notification, and waits to claim its trade.
  const registering = registerOrder(deps, terms('A1'));
  await waiting(deps, 1);
  const rejecting = rejectHeldEvent(deps, one);
  await waiting(deps, 2, rejecting);
  await letGo();
  expect(await registering).toMatchObject({ released: 1, order: { status: 'paid' } });
  expect(await rejecting).toMatchObject({ result: 'not_held', outcome: 'applied' });
});

test('two held payments of one trade accepted for two orders at once: one order gets it', async () => {
  const deps = await testDatabase();
  for (let round = 0; round < 20; round += 1) {
    const numbers = [`A${round}`, `B${round}`];
    const commands = [];
    for (const number of numbers) {
      await registerOrder(deps, terms(number));
      await applyNotifications(deps, [
        notification(payment(number, `T${round}`, { payeeMatches: false })),
      ]);
      commands.push(await command(deps));
    }
    const outcomes = await Promise.all(commands.map((one) => acceptHeldEvent(deps, one)));
    expect(outcomes.map(({ result }) => result).sort()).toEqual(['done', 'refused']);
    const refused = outcomes.find(({ result }) => result === 'refused');
    expect(refused).toEqual({ result: 'refused', why: 'trade_on_other_order' });
    expect(await deps.prisma.order.count({ where: { primaryTrade: `T${round}` } })).toBe(1);
  }
});

test('accepted while another payment of the order is applied: neither is lost', async () => {
  const deps = await testDatabase();
  for (let round = 0; round < 20; round += 1) {
    const number = `R${round}`;
    await registerOrder(deps, terms(number));
    await applyNotifications(deps, [mismatched(number)]);
    const one = { ...(await command(deps)), ...operator };
    await Promise.all([
      acceptHeldEvent(deps, one),
      applyNotifications(deps, [notification(payment(number, `second-${round}`))]),
    ]);
    const order = await orderRow(deps, number);
    expect(order).toMatchObject({ status: 'paid', version: 2, attention: ['second_payment'] });
    expect(order.facts).toHaveLength(2);
  }
  deps.now = minute(1);
});
