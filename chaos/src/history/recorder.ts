import type {
  Arrival,
  Delay,
  Ledger,
  Sending,
  StoreAdd,
  ToldNotification,
  ToldOrder,
} from './history.js';

/** The ledger while it is written, with the engine's working data. */
export interface Book {
  readonly ledger: Ledger;
  order(order: ToldOrder): void;
  told(notification: ToldNotification): void;
  sent(sending: Sending): void;
  added(add: StoreAdd): void;
  arrived(arrival: Arrival): void;
  delayed(delay: Delay): void;
  /** Order numbers whose registration has begun. */
  readonly registering: Set<string>;
  /** Called with every first acknowledgement of a genuine notification. */
  onAcknowledged: (told: ToldNotification, at: number) => void;
}

export function openBook(): Book {
  const orders: ToldOrder[] = [];
  const notifications: ToldNotification[] = [];
  const sendings: Sending[] = [];
  const adds: StoreAdd[] = [];
  const arrivals: Arrival[] = [];
  const delays: Delay[] = [];
  const byKey = new Map<string, ToldNotification>();
  const acknowledged = new Set<string>();

  const book: Book = {
    ledger: { orders, notifications, sendings, adds, arrivals, delays },
    registering: new Set(),
    onAcknowledged: () => {},
    order: (order) => void orders.push(order),
    told(notification) {
      notifications.push(notification);
      byKey.set(notification.key, notification);
    },
    added: (add) => void adds.push(add),
    arrived: (arrival) => void arrivals.push(arrival),
    delayed: (delay) => void delays.push(delay),
    sent(sending) {
      sendings.push(sending);
      const told = byKey.get(sending.key);
      if (!sending.acknowledged || !told || told.forged || acknowledged.has(told.key)) return;
      acknowledged.add(told.key);
      book.onAcknowledged(told, sending.endedAt);
    },
  };
  return book;
}
