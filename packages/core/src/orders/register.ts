import type { DatabaseDeps } from '../database/deps.js';
import { lockNumberForRegistration, type OrderKey } from '../database/order-lock.js';
import { inTransaction, isUnavailable, type Tx } from '../database/transaction.js';
import { messageOf } from '../errors.js';
import { releaseForOrder } from '../notifications/release.js';
import { deriveOrder } from './derive.js';
import type { Order, OrderTerms } from './order.js';
import { planOrder } from './plan.js';
import { findOrders, lockOrders, orderKey, readFacts, storePlans } from './store.js';

export type RegisterOutcome =
  /** `released`: how many held events were waiting for it. */
  | { readonly outcome: 'registered'; readonly order: Order; readonly released: number }
  /** Known already, with the very same terms. */
  | { readonly outcome: 'existing'; readonly order: Order }
  /** The number is taken, with other terms. */
  | { readonly outcome: 'conflict'; readonly order: Order };

/**
 * Makes an order known, once. Notifications that came before it and were held as `unknown_order` are
 * applied in the same transaction.
 * @throws AppError `database_unavailable`
 */
export async function registerOrder(
  deps: DatabaseDeps,
  terms: OrderTerms,
): Promise<RegisterOutcome> {
  try {
    return await inTransaction(deps, (tx) => register(tx, deps.clock(), terms, releaseForOrder));
  } catch (error) {
    if (isUnavailable(error)) throw error;
    // A held event that cannot be applied must not keep the merchant from registering: it stays held,
    // and the schedule singles it out.
    deps.log?.error({ err: messageOf(error), order: terms.number }, 'held events not released');
    return inTransaction(deps, (tx) => register(tx, deps.clock(), terms, async () => 0));
  }
}

async function register(
  tx: Tx,
  now: Date,
  terms: OrderTerms,
  release: typeof releaseForOrder,
): Promise<RegisterOutcome> {
  await lockNumberForRegistration(tx, terms);
  const inserted = await tx.$executeRaw`
    INSERT INTO orders (merchant, number, amount, currency, created_at, updated_at)
    VALUES (${terms.merchant}, ${terms.number}, ${terms.amount}, ${terms.currency}, ${now}, ${now})
    ON CONFLICT (merchant, number) DO NOTHING`;
  if (inserted === 0) {
    const order = await read(tx, terms);
    const same = order.amount === terms.amount && order.currency === terms.currency;
    return { outcome: same ? 'existing' : 'conflict', order };
  }
  const released = await release(tx, now, terms);
  return { outcome: 'registered', order: await read(tx, terms), released };
}

export type CloseOutcome =
  | { readonly outcome: 'closed'; readonly order: Order }
  /** Too late: it is paid. Nothing was recorded. */
  | { readonly outcome: 'paid'; readonly order: Order }
  | { readonly outcome: 'unknown_order' };

/**
 * The merchant gives up on an unpaid order. Should it be paid all the same, paid wins, and the order
 * gets the attention flag `paid_late` or `closed_though_paid`.
 * @throws AppError `database_unavailable`
 */
export async function closeOrder(deps: DatabaseDeps, key: OrderKey): Promise<CloseOutcome> {
  return inTransaction(deps, async (tx): Promise<CloseOutcome> => {
    const order = (await lockOrders(tx, [key])).get(orderKey(key));
    if (order === undefined) return { outcome: 'unknown_order' };
    const facts = (await readFacts(tx, [order.id])).get(order.id) ?? [];
    if (deriveOrder(facts).primary !== null) return { outcome: 'paid', order };
    if (!facts.some((fact) => fact.kind === 'closed' && fact.by === 'merchant')) {
      const now = deps.clock();
      const closed = { kind: 'closed', by: 'merchant', trade: null, at: now } as const;
      const statement = { facts: [closed], notificationRowId: null };
      await storePlans(tx, now, [planOrder(order, facts, [statement])]);
    }
    return { outcome: 'closed', order: await read(tx, key) };
  });
}

async function read(tx: Tx, key: OrderKey): Promise<Order> {
  const order = (await findOrders(tx, [key])).get(orderKey(key));
  if (order === undefined) throw new Error('an order that was just there is gone');
  return order;
}
