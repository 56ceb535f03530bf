import { messageOf } from '@payonce/core/runtime/errors';
import { type Operator, writeAudit } from '../database/audit.js';
import { bisect } from '../database/bisect.js';
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { writePlans } from '../notifications/apply/write-plans.js';
import { releaseForOrders } from '../notifications/held/release-for-orders.js';
import { deriveOrder } from '../orders/derive.js';
import { readFacts } from '../orders/fact-rows.js';
import { lockOrders } from '../orders/lock-orders.js';
import { lockNumbersForRegistration } from '../orders/number-locks.js';
import { type Order, type OrderKey, type OrderTerms, orderKey } from '../orders/order.js';
import { findOrders, insertOrders } from '../orders/order-rows.js';
import { planOrder } from '../orders/plan.js';

export type RegisterOutcome =
  /** `released`: how many held events of the order are no longer held. */
  | { readonly outcome: 'registered'; readonly order: Order; readonly released: number }
  /** Already registered with the same terms. */
  | { readonly outcome: 'existing'; readonly order: Order }
  /** The number is registered with other terms. */
  | { readonly outcome: 'conflict'; readonly order: Order };

/**
 * Registers an order, once. Earlier notifications that are held as `unknown_order` are applied in
 * the same transaction.
 * @throws AppError `database_unavailable`
 */
export async function registerOrder(
  deps: DatabaseDeps,
  terms: OrderTerms,
): Promise<RegisterOutcome> {
  const [outcome] = await registerOrders(deps, [terms]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

/**
 * The same for many, in one transaction with set-based statements; two with the same number as if
 * one came after the other. A held event that cannot be applied must not keep a merchant from
 * registering. Halving singles out its order, and the event stays held for the schedule.
 * @returns one outcome per order, in the order given
 * @throws AppError `database_unavailable`: nothing, or a first part, is registered; repeating is
 * safe
 */
export async function registerOrders(
  deps: DatabaseDeps,
  all: readonly OrderTerms[],
): Promise<RegisterOutcome[]> {
  if (all.length === 0) return [];
  return bisect(
    all,
    (some) => inTransaction(deps, (tx) => register(tx, deps.clock(), some, releaseForOrders)),
    async (only, error) => {
      const order = only.number;
      deps.log.error({ err: messageOf(error), order }, 'held.release_failed');
      const without = async () => new Map<string, number>();
      const [outcome] = await inTransaction(deps, (tx) =>
        register(tx, deps.clock(), [only], without),
      );
      if (outcome === undefined) throw new Error('no outcome');
      return outcome;
    },
    isUnavailable,
  );
}

async function register(
  tx: Tx,
  now: Date,
  all: readonly OrderTerms[],
  release: typeof releaseForOrders,
): Promise<RegisterOutcome[]> {
  const firsts = new Map<string, OrderTerms>();
  for (const terms of all) if (!firsts.has(orderKey(terms))) firsts.set(orderKey(terms), terms);
  const distinct = [...firsts.values()];
  await lockNumbersForRegistration(tx, distinct);
  const inserted = await insertOrders(tx, now, distinct);
  const released = await release(
    tx,
    now,
    distinct.filter((terms) => inserted.has(orderKey(terms))),
  );
  const orders = await findOrders(tx, distinct);
  return all.map((terms): RegisterOutcome => {
    const key = orderKey(terms);
    const order = assertFound(orders.get(key));
    // The next one with this number finds it registered.
    if (inserted.delete(key))
      return { outcome: 'registered', order, released: released.get(key) ?? 0 };
    const same = order.amount === terms.amount && order.currency === terms.currency;
    return { outcome: same ? 'existing' : 'conflict', order };
  });
}

export type CloseOutcome =
  | { readonly outcome: 'closed'; readonly order: Order }
  /** Too late: it is paid. Nothing was recorded. */
  | { readonly outcome: 'paid'; readonly order: Order }
  | { readonly outcome: 'unknown_order' };

/**
 * The merchant gives up on an unpaid order. If it is paid later, the payment wins, and the order
 * gets the attention flag `paid_late` or `closed_though_paid`.
 * @param operator the person who closes it, for the audit log; null for the merchant's system
 * @throws AppError `database_unavailable`
 */
export async function closeOrder(
  deps: DatabaseDeps,
  key: OrderKey,
  operator: Operator | null = null,
): Promise<CloseOutcome> {
  return inTransaction(deps, async (tx): Promise<CloseOutcome> => {
    const order = (await lockOrders(tx, [key])).get(orderKey(key));
    if (order === undefined) return { outcome: 'unknown_order' };
    const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
    const isPaid = deriveOrder(facts).primary !== null;
    if (!isPaid && !facts.some((fact) => fact.kind === 'closed' && fact.by === 'merchant')) {
      const now = deps.clock();
      const closed = { kind: 'closed', by: 'merchant', trade: null, at: now } as const;
      if (operator !== null) {
        await writeAudit(tx, now, operator, {
          action: 'order.close',
          orderId: order.id,
          detail: {},
        });
      }
      const plan = planOrder(order, facts, [
        { facts: [closed], notificationRowId: null, receivedAt: null },
      ]);
      await writePlans(tx, now, [plan]);
    }
    const stored = assertFound((await findOrders(tx, [key])).get(orderKey(key)));
    return { outcome: isPaid ? 'paid' : 'closed', order: stored };
  });
}

function assertFound(order: Order | undefined): Order {
  if (order === undefined) throw new Error('an order that was just there is gone');
  return order;
}
