import {
  applyOperatorAction,
  type EventCommand,
  type HeldAction,
} from '@payonce/orders/notifications/held/operator';
import { previewDecisions } from '@payonce/orders/notifications/held/preview-decisions';
import type { PaymentEvent } from '@payonce/providers/event';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  apply,
  minute,
  notification,
  paid,
  payment,
  statement,
  type TestDatabase,
  testDatabase,
} from './database-support.js';
import { operator, unsigned } from './held.js';

const ORDERS = ['A0', 'A1', 'A2', 'A3'];
const TRADES = ['T0', 'T1', 'T2', 'T3'];

/** An event that is held until its order is registered, and usually afterwards as well. */
const heldEvent: fc.Arbitrary<PaymentEvent> = fc
  .record({
    order: fc.constantFrom(...ORDERS),
    trade: fc.constantFrom(...TRADES),
    kind: fc.constantFrom(
      'paid',
      'paid',
      'paid',
      'cheap',
      'payee',
      'dollars',
      'unsigned',
      'odd',
      'poison',
    ),
  })
  .map(({ order, trade, kind }): PaymentEvent => {
    switch (kind) {
      case 'cheap':
        return statement(order, trade, [paid(trade, minute(1), 1n)], { amount: 1n });
      case 'payee':
        return payment(order, trade, { payeeMatches: false });
      case 'dollars':
        return payment(order, trade, { currency: 'USD' });
      case 'unsigned':
        return unsigned(order, trade, 100n);
      case 'odd':
        return { kind: 'unsupported', orderNumber: order, says: 'X' };
      case 'poison':
        return payment(order, 'T\0');
      default:
        return payment(order, trade);
    }
  });

/** A notification carries one event, or two. */
const heldNotifications = fc.array(fc.array(heldEvent, { minLength: 1, maxLength: 2 }), {
  minLength: 6,
  maxLength: 18,
});

/** Without releasing anything, as before the schedule runs. */
const registerSilently = (deps: TestDatabase, numbers: readonly string[]) =>
  deps.prisma.order.createMany({
    data: numbers.map((number) => ({
      ...{ merchant: 'default', number, amount: 8888n, currency: 'CNY' },
      ...{ createdAt: minute(0), updatedAt: minute(0) },
    })),
  });

async function heldCommands({ prisma }: TestDatabase): Promise<EventCommand[]> {
  const rows = await prisma.notificationEvent.findMany({
    where: { outcome: 'held' },
    orderBy: { id: 'asc' },
  });
  return rows.map((row) => ({
    ...operator,
    notification: row.notificationRowId,
    position: row.position,
  }));
}

/** Every row that an operator could change. */
async function everything({ prisma }: TestDatabase) {
  const byId = { orderBy: { id: 'asc' } } as const;
  return [
    await prisma.notification.findMany({ omit: { body: true }, ...byId }),
    await prisma.notificationEvent.findMany(byId),
    await prisma.order.findMany(byId),
    await prisma.trade.findMany({ orderBy: { trade: 'asc' } }),
    await prisma.fact.findMany(byId),
    await prisma.orderEvent.findMany(byId),
    await prisma.auditLog.findMany(byId),
  ];
}

describe('a dry run of held events', () => {
  test.each<HeldAction>(['retry', 'accept', 'reject'])(
    'is what comes of them when it is done (%s), and changes nothing before',
    async (action) => {
      const story = fc.record({
        notifications: heldNotifications,
        registered: fc.subarray(ORDERS),
      });
      await fc.assert(
        fc.asyncProperty(story, async ({ notifications, registered }) => {
          const deps = await testDatabase();
          await apply(deps, ...notifications.map((events) => notification(events)));
          await registerSilently(deps, registered);
          const commands = await heldCommands(deps);
          const before = await everything(deps);
          const previewed = await previewDecisions(deps, action, commands);
          expect(await everything(deps)).toEqual(before);
          const done = [];
          for (const command of commands)
            done.push(await applyOperatorAction(deps, action, command));
          expect(previewed).toEqual(done);
        }),
        { numRuns: 5 },
      );
    },
    120_000,
  );

  test('is right for many that depend on each other, beyond one batch', async () => {
    const deps = await testDatabase();
    const numbers = Array.from({ length: 40 }, (_, index) => `B${index}`);
    // The first order has each trade; all others want one of them.
    const wanted = numbers.map((number, index) => notification(payment(number, `T${index % 2}`)));
    for (const one of wanted) await apply(deps, one);
    await registerSilently(deps, numbers);
    const outcomes = await previewDecisions(deps, 'retry', await heldCommands(deps));
    const results = outcomes.map((one) =>
      one.result === 'done' && one.outcome === 'held' ? one.reason : one.result,
    );
    expect(results).toEqual(
      numbers.map((_, index) => (index < 2 ? 'done' : 'trade_on_other_order')),
    );
  });

  test('of an unknown event, or one that is no longer held, reports that', async () => {
    const deps = await testDatabase();
    await registerSilently(deps, ['A0']);
    await apply(deps, notification(payment('A0')));
    const { id } = await deps.prisma.notification.findFirstOrThrow();
    const commands = [
      { ...operator, notification: id, position: 0 },
      { ...operator, notification: 999n, position: 0 },
    ];
    expect(await previewDecisions(deps, 'retry', commands)).toEqual([
      { result: 'not_held', outcome: 'applied' },
      { result: 'unknown_event' },
    ]);
  });
});
