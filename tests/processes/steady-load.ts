import { expect } from 'vitest';
import { DUE, type Shop } from '../shop.js';

const SENDERS = 4;
/** Longer than any fail-over of these tests; a provider retries for a day. */
const GIVE_UP_MS = 30_000;

export interface SteadyLoad {
  /** The orders whose payment was acknowledged so far, as the sender counts them. */
  readonly acknowledged: readonly string[];
  /**
   * Pays no further order; resolves when each payment under way was acknowledged. @throws if one
   * never was
   */
  stop(): Promise<void>;
}

/**
 * Pays new orders one after another, a few at a time, and sends each again until it is
 * acknowledged.
 */
export function startSteadyLoad(shop: Shop): SteadyLoad {
  const acknowledged: string[] = [];
  let running = true;
  let count = 0;

  const payOne = async () => {
    count += 1;
    const [number, trade] = [`steady-${count}`, `T${count}`];
    await shop.register(number);
    const payment = { orderNumber: number, trade, amount: DUE, paidAt: new Date() };
    const request = shop.signers['sim-alipay'].payment(payment);
    const end = Date.now() + GIVE_UP_MS;
    while (!(await shop.post('sim-alipay', request)).acknowledged) {
      if (Date.now() > end) throw new Error(`${number} was never acknowledged`);
    }
    acknowledged.push(number);
  };
  const senders = Array.from({ length: SENDERS }, async () => {
    while (running) await payOne();
  });
  const all = Promise.all(senders);
  all.catch(() => {}); // `stop` tells
  return {
    acknowledged,
    async stop() {
      running = false;
      await all;
    },
  };
}

/** Every acknowledged order is paid, with the right amount, once, and no other order is. */
export async function expectPaidOnce(
  { prisma }: Shop,
  acknowledged: readonly string[],
): Promise<void> {
  const orders = await prisma.order.findMany({ include: { orderEvents: true, facts: true } });
  expect(orders.map(({ number }) => number).sort()).toEqual([...acknowledged].sort());
  for (const order of orders) {
    expect(order).toMatchObject({ status: 'paid', paidAmount: DUE, attention: [] });
    expect(order.orderEvents.map(({ type }) => type)).toEqual(['order.paid']);
    expect(order.facts).toHaveLength(1);
  }
  expect(await prisma.notification.count()).toBe(acknowledged.length);
  expect(await prisma.deadLetter.count()).toBe(0);
}
