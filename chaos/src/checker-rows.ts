import { Client } from 'pg';

/** What PostgreSQL holds: the checker judges by this and nothing else of payonce. */
export interface Held {
  readonly orders: readonly HeldOrder[];
  readonly notifications: readonly HeldNotification[];
  readonly events: readonly HeldEvent[];
}

export interface HeldOrder {
  readonly merchant: string;
  readonly number: string;
  readonly status: string;
  readonly paid: bigint;
  readonly refunded: bigint;
  /** Rows of `order.paid`. */
  readonly paidEvents: number;
}

/** One notification and what became of what it says of one order. */
export interface HeldNotification {
  readonly provider: string;
  readonly notificationId: string;
  readonly orderNumber: string | null;
  /** `applied`, `duplicate`, `ignored`, or the reason of the hold. */
  readonly outcome: string;
}

/** A row of the outbox: what the merchant is to be told. */
export interface HeldEvent {
  readonly merchant: string;
  /** Of the order, or of the order that a held notification names. */
  readonly number: string;
  readonly type: string;
  readonly milestone: string;
}

const ORDERS = `
  SELECT o.merchant, o.number, o.status, o.paid_amount AS paid, o.refunded_amount AS refunded,
    (SELECT count(*)::int FROM order_events e WHERE e.order_id = o.id AND e.type = 'order.paid')
      AS "paidEvents"
  FROM orders o`;

const NOTIFICATIONS = `
  SELECT n.provider, n.notification_id AS "notificationId", e.order_number AS "orderNumber",
    coalesce(e.hold_reason, e.outcome) AS outcome
  FROM notifications n JOIN notification_events e ON e.notification_row_id = n.id`;

const EVENTS = `
  SELECT x.merchant, coalesce(o.number, n.order_number, '') AS number, x.type, x.milestone
  FROM order_events x
  LEFT JOIN orders o ON o.id = x.order_id
  LEFT JOIN notification_events n ON n.id = x.notification_event_id`;

/** A chaotic run's database may be busy, not silent. */
const ANSWER_LIMIT_MS = 60_000;

/** Reads the tables as they are at one moment. */
export async function readHeld(databaseUrl: string): Promise<Held> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: ANSWER_LIMIT_MS,
  });
  client.on('error', () => {}); // the query tells
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const orders = await client.query<Record<'paid' | 'refunded', string> & HeldOrder>(ORDERS);
    const notifications = await client.query<HeldNotification>(NOTIFICATIONS);
    const events = await client.query<HeldEvent>(EVENTS);
    return {
      // node-postgres gives bigint as text.
      orders: orders.rows.map((row) => ({
        ...row,
        paid: BigInt(row.paid),
        refunded: BigInt(row.refunded),
      })),
      notifications: notifications.rows,
      events: events.rows,
    };
  } finally {
    await client.end();
  }
}
