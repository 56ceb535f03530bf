/** Held events of the merchant's other orders that claim a trade. */
import type { DatabaseDeps } from '../database/deps.js';
import { inTransaction, type Tx, waitForLocks } from '../database/transaction.js';
import type { TradeName } from '../orders/released.js';
import { type HeldEvent, isHeld, makeDue, readEvents } from './event-rows.js';
import { inOrderOfNames, lockNotifications, type NotificationName } from './notification-rows.js';
import { settleAgain } from './release.js';
import { claimsOf } from './settle.js';

interface TradeOfMerchant extends TradeName {
  readonly merchant: string;
}

type Contender = NotificationName & { readonly id: bigint };

/**
 * An order has one or two. For a trade that a merchant claims for a thousand orders: the oldest.
 */
const LIMIT = 100;
/**
 * A transaction that holds the lock decides within this time; beyond it, the schedule looks again.
 */
const LEFT_WAIT_MS = 2_000;

/** Finds the notifications; locks nothing. */
export function findContenders(tx: Tx, { merchant, trade }: TradeOfMerchant): Promise<Contender[]> {
  // As `eventToJson` writes it. Compared as text: JSON operators refuse a hostile NUL in any other
  // field.
  const said = `"trade":${JSON.stringify(trade)}`;
  return tx.$queryRaw<Contender[]>`
    SELECT n.id, n.channel, n.notification_id AS "notificationId", n.variant FROM notifications n
    WHERE n.id IN (
      SELECT e.notification_row_id FROM notification_events e
      WHERE e.outcome = 'held' AND e.hold_reason = 'trade_on_other_order'
        AND e.merchant = ${merchant} AND strpos(e.event::text, ${said}) > 0
      ORDER BY e.id LIMIT ${LIMIT}
    )`;
}

/**
 * Locks those that no other transaction has locked, and reads their events that wait for the trade.
 */
export async function lockContenders(
  tx: Tx,
  wanted: TradeOfMerchant,
  found: readonly Contender[],
): Promise<HeldEvent[]> {
  if (found.length === 0) return [];
  const locked = await tx.$queryRaw<{ id: bigint }[]>`
    SELECT id FROM notifications WHERE id = ANY(${found.map(({ id }) => id)}::bigint[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
  return readContenders(
    tx,
    wanted,
    locked.map(({ id }) => id),
  );
}

/**
 * Runs after the trade was released, for contenders that could not be decided with it. Those that
 * cannot be decided now either are due at once.
 */
export async function retryContenders(deps: DatabaseDeps, wanted: TradeOfMerchant): Promise<void> {
  const found = await findContenders(deps.prisma, wanted);
  if (found.length === 0) return;
  const names = inOrderOfNames(found, (name) => name);
  const settle = async (tx: Tx) => {
    const locked = await lockNotifications(tx, names);
    const ids = [...locked.values()].map(({ id }) => id);
    const held = await readContenders(tx, wanted, ids);
    await settleAgain(tx, deps.clock(), held, { scheduled: false, forced: null });
  };
  try {
    await inTransaction(deps, settle, waitForLocks(LEFT_WAIT_MS));
  } catch (error) {
    const ids = found.map(({ id }) => id);
    await inTransaction(deps, (tx) => makeDue(tx, deps.clock(), 'trade_on_other_order', ids));
    throw error;
  }
}

async function readContenders(
  tx: Tx,
  { merchant, rail, trade }: TradeOfMerchant,
  ids: readonly bigint[],
): Promise<HeldEvent[]> {
  const events = (await readEvents(tx, ids)).filter(isHeld);
  return events.filter(
    ({ event, outcome, ...one }) =>
      one.merchant === merchant &&
      outcome.reason === 'trade_on_other_order' &&
      event.kind === 'order' &&
      claimsOf(event.facts, { id: 0n, merchant }).some(
        (claim) => claim.rail === rail && claim.trade === trade,
      ),
  );
}
