import type { Held, HeldEvent, HeldNotification, HeldOrder } from './checker-rows.js';
import { indexByToken } from './checker-tokens.js';
import type {
  Arrival,
  ArrivedEvent,
  Ledger,
  StoreAdd,
  ToldNotification,
  ToldOrder,
} from './ledger.js';
import { contestedTrades } from './truth.js';

/** An arrival that is signed and says something. */
export type Told = Arrival & { readonly event: ArrivedEvent };

/** The ledger and the rows, by what they are looked up by. */
export interface Scene {
  readonly told: ReadonlyMap<string, ToldNotification>;
  readonly orders: ReadonlyMap<string, ToldOrder>;
  /** Keys of what was acknowledged at least once, in the whole run. */
  readonly acknowledged: ReadonlySet<string>;
  readonly genuineTokens: ReadonlySet<string>;
  readonly adds: ReadonlyMap<string, readonly StoreAdd[]>;
  /** By order number: what must have been heard of it, and what is seen to have been. */
  readonly heard: ReadonlyMap<string, readonly ToldNotification[]>;
  readonly heldOrders: ReadonlyMap<string, HeldOrder>;
  readonly heldEvents: ReadonlyMap<string, readonly HeldEvent[]>;
  /** Signed ones by the order they speak of, in the order in which they came. */
  readonly arrivals: ReadonlyMap<string, readonly Told[]>;
  readonly heldOf: (told: ToldNotification) => readonly HeldNotification[];
  /** Rows of the outbox by the row of the held notification that they tell of. */
  readonly eventsOfRow: ReadonlyMap<string, readonly HeldEvent[]>;
  readonly deadJobs: ReadonlyMap<string, readonly string[]>;
  /** Trades that two merchants' orders were paid with, as the providers' words go. */
  readonly contested: ReadonlySet<string>;
}

export function sceneOf(ledger: Ledger, held: Held): Scene {
  const { notifications, sendings } = ledger;
  const tokens = new Set(notifications.map(({ jobToken }) => jobToken));
  const rows = indexByToken(tokens, held.notifications, (row) => row.notificationId);
  const orders = new Map(ledger.orders.map((order) => [order.number, order]));
  // Two merchants may be told of one trade: each has a row of its own.
  const heldOf = ({ provider, jobToken, orderNumber }: ToldNotification) => {
    const merchant = orders.get(orderNumber)?.merchant;
    return (rows.get(jobToken) ?? []).filter(
      (row) => row.provider === provider && row.merchant === merchant,
    );
  };
  const acknowledged = new Set(sendings.flatMap((one) => (one.acknowledged ? [one.key] : [])));
  const genuine = notifications.filter(({ forged }) => !forged);
  const heard = new Map<string, ToldNotification[]>();
  for (const told of genuine) {
    // What was never acknowledged may be there or not: where it is, it counts as told.
    if (!acknowledged.has(told.key) && !isSettled(heldOf(told), told)) continue;
    heard.set(told.orderNumber, [...(heard.get(told.orderNumber) ?? []), told]);
  }
  return {
    told: new Map(notifications.map((told) => [told.key, told])),
    orders,
    acknowledged,
    genuineTokens: new Set(genuine.map(({ jobToken }) => jobToken)),
    adds: indexByToken(tokens, ledger.adds, ({ jobId }) => jobId),
    heard,
    heldOrders: new Map(held.orders.map((order) => [orderKey(order), order])),
    heldEvents: groupedBy(held.events, orderKey),
    arrivals: groupedBy(ledger.arrivals.filter(isTold), ({ event }) =>
      orderKey({ merchant: event.merchant, number: event.orderNumber }),
    ),
    heldOf,
    eventsOfRow: groupedBy(held.events, ({ row }) => row ?? ''),
    deadJobs: indexByToken(tokens, held.deadJobs, (jobId) => jobId),
    contested: contestedTrades(ledger.orders, heard),
  };
}

/** In its order, as far as its own row says. */
export function isSettled(
  rows: readonly HeldNotification[],
  { orderNumber }: ToldNotification,
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

function isTold(arrival: Arrival): arrival is Told {
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
