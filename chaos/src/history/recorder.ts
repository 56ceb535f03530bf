import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type {
  Arrival,
  Delay,
  History,
  Sending,
  StoreAdd,
  WorkloadNotification,
} from './history.js';

/** Records the history while the run goes on, with the working data of the run. */
export interface HistoryRecorder {
  readonly history: History;
  order(order: OrderTerms): void;
  notification(notification: WorkloadNotification): void;
  sent(sending: Sending): void;
  added(add: StoreAdd): void;
  arrived(arrival: Arrival): void;
  delayed(delay: Delay): void;
  /** Order numbers whose registration has begun. */
  readonly registering: Set<string>;
  /** Called with every first acknowledgement of a genuine notification. */
  onAcknowledged: (notification: WorkloadNotification, at: number) => void;
}

export function createHistoryRecorder(): HistoryRecorder {
  const orders: OrderTerms[] = [];
  const notifications: WorkloadNotification[] = [];
  const sendings: Sending[] = [];
  const adds: StoreAdd[] = [];
  const arrivals: Arrival[] = [];
  const delays: Delay[] = [];
  const byKey = new Map<string, WorkloadNotification>();
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
      const notification = byKey.get(sending.key);
      if (
        !sending.acknowledged ||
        !notification ||
        notification.forged ||
        acknowledged.has(notification.key)
      )
        return;
      acknowledged.add(notification.key);
      recorder.onAcknowledged(notification, sending.endedAt);
    },
  };
  return recorder;
}
