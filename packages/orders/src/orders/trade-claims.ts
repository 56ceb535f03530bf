/**
 * SQL of the owner of a trade within its merchant, for operators. The caller holds the order's
 * lock.
 */
import type { Tx } from '../database/transaction.js';
import type { TradeClaim } from './claim.js';

/** The order that has the trade gives it up; the merchant's next order that claims it gets it. */
export async function freeClaim(
  tx: Tx,
  now: Date,
  { rail, trade, merchant, orderId }: TradeClaim,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO trade_claims AS c (rail, trade, merchant, order_id, created_at)
    VALUES (${rail}, ${trade}, ${merchant}, NULL, ${now})
    ON CONFLICT (rail, trade, merchant) DO UPDATE SET order_id = NULL
      WHERE c.order_id = ${orderId}`;
}

/** The order that gave it up takes it back. False when another one has it. */
export async function reclaim(
  tx: Tx,
  { rail, trade, merchant, orderId }: TradeClaim,
): Promise<boolean> {
  const count = await tx.$executeRaw`
    UPDATE trade_claims SET order_id = ${orderId}, told_at = NULL
    WHERE rail = ${rail} AND trade = ${trade} AND merchant = ${merchant} AND order_id IS NULL`;
  return count === 1;
}

/** The number of the order of this merchant that has the trade; null when none has it. */
export async function ownerOf(
  tx: Tx,
  { rail, trade, merchant }: Omit<TradeClaim, 'orderId'>,
): Promise<string | null> {
  const [row] = await tx.$queryRaw<{ number: string | null }[]>`
    SELECT o.number, 1 AS place FROM trade_claims c LEFT JOIN orders o ON o.id = c.order_id
    WHERE c.rail = ${rail} AND c.trade = ${trade} AND c.merchant = ${merchant}
    UNION ALL
    SELECT o.number, 2 AS place FROM trades t JOIN orders o ON o.id = t.order_id
    WHERE t.rail = ${rail} AND t.trade = ${trade} AND o.merchant = ${merchant}
    ORDER BY place LIMIT 1`;
  return row?.number ?? null;
}
