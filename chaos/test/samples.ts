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
  ToldNotification,
  ToldOrder,
} from '../src/history/history.js';

/** Samples of notifications, their results, and the merchant's events. */

export const DUE = 8_888n;
export const ORDER: ToldOrder = { merchant: 'demo', number: 'O1', amount: DUE, registered: true };

export function payment(key: string, changes: Partial<ToldNotification> = {}): ToldNotification {
  return {
    key,
    provider: 'alipay',
    orderNumber: 'O1',
    trade: 'T1',
    jobToken: `N${key}`,
    says: { kind: 'payment', amount: DUE },
    forged: false,
    ...changes,
  };
}

export function refund(
  key: string,
  [amount, refundedTotal]: readonly [bigint, bigint],
  changes: Partial<ToldNotification> = {},
  unsigned = false,
): ToldNotification {
  const says = { kind: 'refund', refundId: `R${key}`, amount, refundedTotal, unsigned } as const;
  return payment(key, { says, ...changes });
}

export const sent = (key: string, startedAt = 1_000, acknowledged = true): Sending => ({
  key,
  startedAt,
  endedAt: startedAt + 10,
  status: acknowledged ? 200 : 503,
  acknowledged,
});

export const added = ({ provider, jobToken }: ToldNotification, at = 1_005): StoreAdd => ({
  at,
  store: 'redis',
  jobId: `${provider}.sim.${jobToken}.0123abcd`,
});

export const row = (told: ToldNotification, outcome = 'applied'): StoredNotification => ({
  provider: told.provider,
  notificationId: told.jobToken,
  orderNumber: told.orderNumber,
  outcome,
  row: `row of ${told.key}`,
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
  told: readonly ToldNotification[],
  changes: Partial<History> = {},
): History {
  return {
    orders: [ORDER],
    notifications: told,
    sendings: told.map(({ key }) => sent(key)),
    adds: told.map((one) => added(one)),
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
  const told = { type, merchant: 'demo', orderNumber: 'O1', milestone, version };
  return { ...told, paid: DUE, refunded, body: `${name} ${version}` };
}

/** Taken, by default; the ID is the event's. */
export function arrived(told: ArrivedEvent, at: number, changes: Partial<Arrival> = {}): Arrival {
  const webhookId = `evt ${told.type} ${told.milestone}`;
  return { at, webhookId, signed: true, event: told, answer: 204, ...changes };
}
