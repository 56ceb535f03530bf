import type {
  Arrival,
  Delay,
  History,
  Sending,
  StoreAdd,
  ToldNotification,
  ToldOrder,
} from './history.js';

/** Records the history while the run goes on, with the working data of the run. */
export interface HistoryRecorder {
  readonly history: History;
  order(order: ToldOrder): void;
  notification(notification: ToldNotification): void;
  sent(sending: Sending): void;
  added(add: StoreAdd): void;
  arrived(arrival: Arrival): void;
  delayed(delay: Delay): void;
  /** Order numbers whose registration has begun. */
  readonly registering: Set<string>;
  /** Called with every first acknowledgement of a genuine notification. */
  onAcknowledged: (told: ToldNotification, at: number) => void;
}

export function createHistoryRecorder(): HistoryRecorder {
  const orders: ToldOrder[] = [];
  const notifications: ToldNotification[] = [];
  const sendings: Sending[] = [];
  const adds: StoreAdd[] = [];
  const arrivals: Arrival[] = [];
  const delays: Delay[] = [];
  const byKey = new Map<string, ToldNotification>();
  const acknowledged = new Set<string>();

  const recorder: HistoryRecorder = {
    history: { orders, notifications, sendings, adds, arrivals, delays },
    registering: new Set(),
    onAcknowledged: () => {},
    order: (order) => void orders.push(order),
    notification(notification) {
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
      recorder.onAcknowledged(told, sending.endedAt);
    },
  };
  return recorder;
}
