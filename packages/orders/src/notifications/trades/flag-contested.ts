import { messageOf } from '@payonce/core/runtime/errors';
import type { Fact } from '@payonce/providers/fact';
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction, type Tx } from '../../database/transaction.js';
import { readFacts } from '../../orders/fact-rows.js';
import { lockOrders } from '../../orders/lock-orders.js';
import { type OrderKey, orderKey } from '../../orders/order.js';
import { planOrder } from '../../orders/plan.js';
import type { TradeName } from '../../orders/released.js';
import { type TradeClaim, tradeKey } from '../../orders/trade-claim.js';
import { findUncheckedClaims, markChecked } from '../../orders/trade-rows.js';
import { writePlans } from '../apply/write-plans.js';

/** An order with a trade that an order of another merchant has, too, and without the flag yet. */
interface Unflagged extends TradeName, OrderKey {}

/**
 * Flags the orders of trades that several merchants claim. It finds them by state after the claim
 * was committed, and flags each order in a separate transaction. So no transaction ever waits for
 * the orders of two merchants. The next look flags an order that cannot be locked now.
 * @returns whether there may be more
 * @throws AppError `database_unavailable`
 */
export async function flagContested(deps: DatabaseDeps, limit: number): Promise<boolean> {
  const claims = await findUncheckedClaims(deps.prisma, limit);
  if (claims.length === 0) return false;
  const orders = new Map<string, Unflagged[]>();
  for (const one of await inTransaction(deps, (tx) => readUnflagged(tx, claims))) {
    orders.set(orderKey(one), [...(orders.get(orderKey(one)) ?? []), one]);
  }
  const left = new Set<string>();
  for (const trades of orders.values()) {
    try {
      await flagOrder(deps, trades);
    } catch (error) {
      deps.log.warn({ err: messageOf(error) }, 'trade.flag_failed');
      for (const one of trades) left.add(tradeKey(one));
    }
  }
  const done = claims.filter((claim) => !left.has(tradeKey(claim)));
  await inTransaction(deps, (tx) => markChecked(tx, deps.clock(), done));
  return done.length === limit;
}

/**
 * Orders of trades that orders of several merchants have, without the orders that are already
 * flagged.
 */
function readUnflagged(tx: Tx, claims: readonly TradeClaim[]): Promise<Unflagged[]> {
  return tx.$queryRaw<Unflagged[]>`
    WITH holder AS (
      SELECT k.rail, k.trade, o.id, o.merchant, o.number
      FROM (
        SELECT DISTINCT * FROM unnest(
          ${claims.map(({ rail }) => rail)}::text[], ${claims.map(({ trade }) => trade)}::text[]
        ) AS k (rail, trade)
      ) AS k
      CROSS JOIN LATERAL (
        SELECT t.order_id FROM trades t WHERE t.rail = k.rail AND t.trade = k.trade
        UNION
        SELECT c.order_id FROM trade_claims c WHERE c.rail = k.rail AND c.trade = k.trade
      ) AS x
      JOIN orders o ON o.id = x.order_id
    )
    SELECT h.rail, h.trade, h.merchant, h.number FROM holder h
    WHERE EXISTS (
      SELECT FROM holder other
      WHERE other.rail = h.rail AND other.trade = h.trade AND other.merchant <> h.merchant
    ) AND NOT EXISTS (
      SELECT FROM facts f WHERE f.order_id = h.id AND f.key = 'contested:' || h.rail || ':' || h.trade
    )
    ORDER BY h.id`;
}

async function flagOrder(deps: DatabaseDeps, trades: readonly Unflagged[]): Promise<void> {
  const [key] = trades;
  if (key === undefined) return;
  await inTransaction(deps, async (tx) => {
    const order = (await lockOrders(tx, [key])).get(orderKey(key));
    if (order === undefined) return;
    const known = (await readFacts(tx, [order.id])).get(order.id) ?? [];
    const facts = trades.map(({ rail, trade }): Fact => {
      return { kind: 'contested', rail, trade, at: null };
    });
    const plan = planOrder(order, known, [{ facts, notificationRowId: null, receivedAt: null }]);
    await writePlans(tx, deps.clock(), [plan]);
  });
}
