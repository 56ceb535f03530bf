/** Notifications of the merchant's other orders that are held because an order has their trade. */
import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction, type Tx, waitForLocks } from '../../database/transaction.js';
import type { TradeName } from '../../orders/released.js';
import { claimsOf } from '../../orders/trade-claim.js';
import { resolveHeldEvents } from '../held/resolve-held-events.js';
import { readEvents } from '../records/event-rows.js';
import { retryAtOnce } from '../records/event-schedule-rows.js';
import { inIdentityOrder, type NotificationIdentity } from '../records/notification-identity.js';
import { lockNotifications, tryLockNotificationRows } from '../records/notification-locks.js';
import { type HeldEvent, isHeld } from '../records/stored-event.js';

interface TradeOfMerchant extends TradeName {
  readonly merchant: string;
}

type HeldForTrade = NotificationIdentity & { readonly id: bigint };

/**
 * An order has one or two. For a trade that a merchant claims for a thousand orders: the oldest.
 */
const LIMIT = 100;
/**
 * A transaction that holds the lock ends within this time; beyond it, the schedule retries.
 */
const LEFT_WAIT_MS = 2_000;

/** Locks nothing. */
export function findHeldForTrade(
  tx: Tx,
  { merchant, trade }: TradeOfMerchant,
): Promise<HeldForTrade[]> {
  // As `eventToJson` writes it. Compared as text: JSON operators refuse a hostile NUL in any other
  // field.
  const written = `"trade":${JSON.stringify(trade)}`;
  return tx.$queryRaw<HeldForTrade[]>`
    SELECT n.id, n.channel, n.notification_id AS "notificationId", n.variant FROM notifications n
    WHERE n.id IN (
      SELECT e.notification_row_id FROM notification_events e
      WHERE e.outcome = 'held' AND e.hold_reason = 'trade_on_other_order'
        AND e.merchant = ${merchant} AND strpos(e.event::text, ${written}) > 0
      ORDER BY e.id LIMIT ${LIMIT}
    )`;
}

/**
 * Locks those that no other transaction has locked, and reads their events that wait for the trade.
 */
export async function tryLockHeldForTrade(
  tx: Tx,
  wanted: TradeOfMerchant,
  found: readonly HeldForTrade[],
): Promise<HeldEvent[]> {
  if (found.length === 0) return [];
  const locked = await tryLockNotificationRows(
    tx,
    found.map(({ id }) => id),
  );
  return readWaiting(tx, wanted, locked);
}

/**
 * Runs after the trade was released, for events that could not be resolved with it. The schedule
 * retries at once those that cannot be resolved now either.
 */
export async function retryHeldForTrade(
  deps: DatabaseDeps,
  wanted: TradeOfMerchant,
): Promise<void> {
  const found = await findHeldForTrade(deps.prisma, wanted);
  if (found.length === 0) return;
  const sorted = inIdentityOrder(found, (identity) => identity);
  const retry = async (tx: Tx) => {
    const locked = await lockNotifications(tx, sorted);
    const ids = [...locked.values()].map(({ id }) => id);
    const held = await readWaiting(tx, wanted, ids);
    await resolveHeldEvents(tx, deps.clock(), held, { scheduled: false, holdAs: null });
  };
  try {
    await inTransaction(deps, retry, waitForLocks(LEFT_WAIT_MS));
  } catch (error) {
    const ids = found.map(({ id }) => id);
    await inTransaction(deps, (tx) => retryAtOnce(tx, deps.clock(), 'trade_on_other_order', ids));
    throw error;
  }
}

async function readWaiting(
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
