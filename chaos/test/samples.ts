import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import type {
  Stored,
  StoredEvent,
  StoredNotification,
  StoredOrder,
} from '../src/checker/stored.js';
import type {
  Arrival,
  ArrivedEvent,
  History,
  Sending,
  StoreAdd,
  WorkloadNotification,
} from '../src/history/history.js';

/** Samples of notifications, their results, and the merchant's events. */

export const DUE = 8_888n;
export const ORDER: OrderTerms = {
  merchant: 'demo',
  number: 'O1',
  amount: DUE,
  registered: true,
};

export function payment(
  key: string,
  changes: Partial<WorkloadNotification> = {},
): WorkloadNotification {
  return {
    key,
    provider: 'alipay',
    orderNumber: 'O1',
    trade: 'T1',
    jobToken: `N${key}`,
    meaning: { kind: 'payment', amount: DUE },
    forged: false,
    ...changes,
  };
}

export function refund(
  key: string,
  [amount, refundedTotal]: readonly [bigint, bigint],
  changes: Partial<WorkloadNotification> = {},
  unsigned = false,
): WorkloadNotification {
  const meaning = { kind: 'refund', refundId: `R${key}`, amount, refundedTotal, unsigned } as const;
  return payment(key, { meaning, ...changes });
}

export const sent = (key: string, startedAt = 1_000, acknowledged = true): Sending => ({
  key,
  startedAt,
  endedAt: startedAt + 10,
  status: acknowledged ? 200 : 503,
  acknowledged,
});

export const added = ({ provider, jobToken }: WorkloadNotification, at = 1_005): StoreAdd => ({
  at,
  store: 'redis',
  jobId: `${provider}.sim.${jobToken}.0123abcd`,
});

export const row = (
  notification: WorkloadNotification,
  outcome = 'applied',
): StoredNotification => ({
  provider: notification.provider,
  notificationId: notification.jobToken,
  orderNumber: notification.orderNumber,
  outcome,
  row: `row of ${notification.key}`,
  merchant: 'demo',
  raw: true,
});

export const order = (
  status: string,
  paid = 0n,
  refunded = 0n,
  paidEvents = paid > 0n ? 1 : 0,
): StoredOrder => ({
  merchant: 'demo',
  number: 'O1',
  status,
  paid,
  refunded,
  paidEvents,
});

/** All of them sent and acknowledged once, with an add in time. */
export function historyOf(
  notifications: readonly WorkloadNotification[],
  changes: Partial<History> = {},
): History {
  return {
    orders: [ORDER],
    notifications,
    sendings: notifications.map(({ key }) => sent(key)),
    adds: notifications.map((one) => added(one)),
    arrivals: [],
    delays: [],
    ...changes,
  };
}

export const stored = (
  orders: readonly StoredOrder[],
  notifications: readonly StoredNotification[],
  events: readonly StoredEvent[] = [],
  deadJobs: readonly string[] = [],
): Stored => ({ orders, notifications, events, deadJobs });

/** `order.refunded 3000`, with the state of the order at that time. */
export function event(name: string, version: number, refunded = 0n): ArrivedEvent {
  const [type = '', milestone = ''] = name.split(' ');
  const fields = { type, merchant: 'demo', orderNumber: 'O1', milestone, version };
  return { ...fields, paid: DUE, refunded, replayed: false, body: `${name} ${version}` };
}

/** Taken, by default; the ID is the event's. */
export function arrived(
  content: ArrivedEvent,
  at: number,
  changes: Partial<Arrival> = {},
): Arrival {
  const webhookId = `evt ${content.type} ${content.milestone}`;
  return { at, webhookId, signed: true, event: content, answer: 204, ...changes };
}
