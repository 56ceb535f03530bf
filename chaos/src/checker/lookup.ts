import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { contestedTrades } from '@payonce/testkit/oracle/oracle';
import type {
  Arrival,
  ArrivedEvent,
  History,
  StoreAdd,
  WorkloadNotification,
} from '../history/history.js';
import type { Stored, StoredEvent, StoredNotification, StoredOrder } from './stored.js';
import { indexByToken } from './tokens.js';

/** An arrival with a signature and an event. */
export type EventArrival = Arrival & { readonly event: ArrivedEvent };

/** The history and the rows, indexed for look-ups. */
export interface Lookup {
  readonly notifications: ReadonlyMap<string, WorkloadNotification>;
  readonly orders: ReadonlyMap<string, OrderTerms>;
  /** Keys of all notifications that were acknowledged at least once, in the whole run. */
  readonly acknowledged: ReadonlySet<string>;
  readonly genuineTokens: ReadonlySet<string>;
  readonly adds: ReadonlyMap<string, readonly StoreAdd[]>;
  /** By order number: the expected notifications, and the observed rows. */
  readonly counted: ReadonlyMap<string, readonly WorkloadNotification[]>;
  readonly storedOrders: ReadonlyMap<string, StoredOrder>;
  readonly storedEvents: ReadonlyMap<string, readonly StoredEvent[]>;
  /** Signed ones by their order, in order of arrival. */
  readonly arrivals: ReadonlyMap<string, readonly EventArrival[]>;
  readonly storedOf: (notification: WorkloadNotification) => readonly StoredNotification[];
  /** Rows of the outbox by the row of their held notification. */
  readonly eventsOfRow: ReadonlyMap<string, readonly StoredEvent[]>;
  readonly deadJobs: ReadonlyMap<string, readonly string[]>;
  /** Trades with which orders of two merchants were paid, by the providers' notifications. */
  readonly contested: ReadonlySet<string>;
}

export function lookupOf(history: History, stored: Stored): Lookup {
  const { notifications, sendings } = history;
  const tokens = new Set(notifications.map(({ jobToken }) => jobToken));
  const rows = indexByToken(tokens, stored.notifications, (row) => row.notificationId);
  const orders = new Map(history.orders.map((order) => [order.number, order]));
  // Two merchants may claim one trade: each has a separate row.
  const storedOf = ({ provider, jobToken, orderNumber }: WorkloadNotification) => {
    const merchant = orders.get(orderNumber)?.merchant;
    return (rows.get(jobToken) ?? []).filter(
      (row) => row.provider === provider && row.merchant === merchant,
    );
  };
  const acknowledged = new Set(sendings.flatMap((one) => (one.acknowledged ? [one.key] : [])));
  const genuine = notifications.filter(({ forged }) => !forged);
  const counted = new Map<string, WorkloadNotification[]>();
  for (const notification of genuine) {
    // A notification that was never acknowledged may be present or absent: if it is present, it
    // counts.
    if (
      !acknowledged.has(notification.key) &&
      !countsAsApplied(storedOf(notification), notification)
    )
      continue;
    counted.set(notification.orderNumber, [
      ...(counted.get(notification.orderNumber) ?? []),
      notification,
    ]);
  }
  return {
    notifications: new Map(notifications.map((notification) => [notification.key, notification])),
    orders,
    acknowledged,
    genuineTokens: new Set(genuine.map(({ jobToken }) => jobToken)),
    adds: indexByToken(tokens, history.adds, ({ jobId }) => jobId),
    counted,
    storedOrders: new Map(stored.orders.map((order) => [orderKey(order), order])),
    storedEvents: groupedBy(stored.events, orderKey),
    arrivals: groupedBy(history.arrivals.filter(isEventArrival), ({ event }) =>
      orderKey({ merchant: event.merchant, number: event.orderNumber }),
    ),
    storedOf,
    eventsOfRow: groupedBy(stored.events, ({ row }) => row ?? ''),
    deadJobs: indexByToken(tokens, stored.deadJobs, (jobId) => jobId),
    contested: contestedTrades(history.orders, counted),
  };
}

/** Whether one of its rows shows it applied to its order, or a duplicate there. */
export function countsAsApplied(
  rows: readonly StoredNotification[],
  { orderNumber }: WorkloadNotification,
): boolean {
  return rows.some(
    (row) =>
      row.orderNumber === orderNumber && (row.outcome === 'applied' || row.outcome === 'duplicate'),
  );
}

export function orderKey({
  merchant,
  number,
}: {
  readonly merchant: string;
  readonly number: string;
}) {
  return JSON.stringify([merchant, number]);
}

function isEventArrival(arrival: Arrival): arrival is EventArrival {
  return arrival.signed && arrival.event !== null;
}

function groupedBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
