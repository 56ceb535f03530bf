import {
  expectedOrders,
  expectedOutcome,
  type NotificationContent,
  type OrderTerms,
} from '@payonce/testkit/oracle/oracle';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allStored, commands, type Model, type Real, sentOf, startOf } from './model-commands.js';
import { closeShop, openShop, type Shop } from './shop.js';

/** Per queue; a run takes a few tenths of a second. */
const TIME_LIMIT_MS = 6_000;
const RUNS_MAX = 200;

describe.each(['redis', 'postgres'] as const)('the whole pipeline, queue in %s', (queue) => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop(queue);
  });
  afterAll(() => closeShop(shop));

  test('each order is as the model says, for any messages in any order and with any repetition', async () => {
    let runs = 0;
    const property = fc.asyncProperty(commands(), async (chosen) => {
      runs += 1;
      const { model, real } = startOf(shop, `M${runs}x`);
      await fc.asyncModelRun(() => ({ model, real }), chosen);
      await allStored(model, real);
      for (const send of real.late.splice(0).reverse()) send();
      await allStored(model, real);
      await agree(model, real);
    });
    const report = await fc.check(property, {
      numRuns: RUNS_MAX,
      interruptAfterTimeLimit: TIME_LIMIT_MS,
      markInterruptAsFailure: false,
    });
    console.info(`model test, queue in ${queue}: ${runs} runs, seed ${report.seed}`);
    const found = `${fc.defaultReportMessage(report)}\n${report.errorInstance}`;
    expect(report.failed, found).toBe(false);
    // A busy machine manages few. None would mean that nothing was tried.
    expect(runs).toBeGreaterThan(2);
  });
});

async function agree(model: Model, { shop }: Real): Promise<void> {
  for (const [number, order] of model.orders) {
    expect(await stored(shop, number), number).toEqual(expected(order, sentOf(model, number)));
  }
}

function expected(order: OrderTerms, sent: readonly NotificationContent[]) {
  // The notifications state when they were paid.
  const [first] = expectedOrders(order, sent);
  return {
    outcomes: sent.map((one) => expectedOutcome(one, order)).sort(),
    order: order.registered && { ...first, paidEvents: first?.paid === 0n ? 0 : 1 },
  };
}

/** The same from the database. */
async function stored({ prisma }: Shop, number: string) {
  const events = await prisma.notificationEvent.findMany({ where: { orderNumber: number } });
  const row = await prisma.order.findFirst({
    where: { number },
    include: { orderEvents: { where: { type: 'order.paid' } } },
  });
  return {
    // Which of two equal ones came first is random.
    outcomes: events
      .map(
        ({ outcome, holdReason }) => holdReason ?? (outcome === 'duplicate' ? 'applied' : outcome),
      )
      .sort(),
    order: row !== null && {
      status: row.status,
      paid: row.paidAmount,
      refunded: row.refundedAmount,
      attention: row.attention,
      paidEvents: row.orderEvents.length,
    },
  };
}
