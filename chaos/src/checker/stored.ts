import { inSession } from '@payonce/testkit/stores/sessions';
import type { Client } from 'pg';

/** The content of PostgreSQL: the checker uses nothing else of payonce. */
export interface Stored {
  readonly orders: readonly StoredOrder[];
  readonly notifications: readonly StoredNotification[];
  readonly events: readonly StoredEvent[];
  /** Job IDs of open dead letters. */
  readonly deadJobs: readonly string[];
}

export interface StoredOrder {
  readonly merchant: string;
  readonly number: string;
  readonly status: string;
  readonly paid: bigint;
  readonly refunded: bigint;
  /** Rows of `order.paid`. */
  readonly paidEvents: number;
}

/** One notification, and the outcome of its statement about one order. */
export interface StoredNotification {
  /** Equal for all events of one stored notification. */
  readonly row: string;
  /** The owner of its channel. */
  readonly merchant: string;
  readonly provider: string;
  readonly notificationId: string;
  readonly orderNumber: string | null;
  /** `applied`, `duplicate`, `ignored`, or the reason of the hold. */
  readonly outcome: string;
  /** Whether its raw bytes are still there. */
  readonly raw: boolean;
}

/** A row of the outbox: an event for the merchant. */
export interface StoredEvent {
  readonly merchant: string;
  /** The number of the order, or of the order that a held notification names. */
  readonly number: string;
  readonly type: string;
  readonly milestone: string;
  /** The row of a held notification's event. Null for events of an order. */
  readonly row: string | null;
  /** Its pending deliveries. */
  readonly pending: number;
}

const ORDERS = `
  SELECT o.merchant, o.number, o.status, o.paid_amount AS paid, o.refunded_amount AS refunded,
    (SELECT count(*)::int FROM order_events e WHERE e.order_id = o.id AND e.type = 'order.paid')
      AS "paidEvents"
  FROM orders o`;

const NOTIFICATIONS = `
  SELECT n.id::text AS row, n.merchant, n.provider, n.notification_id AS "notificationId",
    e.order_number AS "orderNumber", coalesce(e.hold_reason, e.outcome) AS outcome,
    octet_length(n.body) > 0 AS raw
  FROM notifications n JOIN notification_events e ON e.notification_row_id = n.id`;

const EVENTS = `
  SELECT x.merchant, coalesce(o.number, n.order_number, '') AS number, x.type, x.milestone,
    n.notification_row_id::text AS row,
    (SELECT count(*)::int FROM deliveries d
      WHERE d.order_event_id = x.id AND d.state = 'pending') AS pending
  FROM order_events x
  LEFT JOIN orders o ON o.id = x.order_id
  LEFT JOIN notification_events n ON n.id = x.notification_event_id`;

const DEAD = `
  SELECT job_id AS "jobId" FROM dead_letters WHERE redriven_at IS NULL AND dismissed_at IS NULL`;

/** A database under chaos may be busy, but not silent. */
const ANSWER_LIMIT_MS = 60_000;

/** Reads the tables at one moment. */
export function readStored(databaseUrl: string): Promise<Stored> {
  const read = async (client: Client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const orders = await client.query<Record<'paid' | 'refunded', string> & StoredOrder>(ORDERS);
    const notifications = await client.query<StoredNotification>(NOTIFICATIONS);
    const events = await client.query<StoredEvent>(EVENTS);
    const dead = await client.query<{ jobId: string }>(DEAD);
    return {
      // node-postgres returns bigint as text.
      orders: orders.rows.map((row) => ({
        ...row,
        paid: BigInt(row.paid),
        refunded: BigInt(row.refunded),
      })),
      notifications: notifications.rows,
      events: events.rows,
      deadJobs: dead.rows.map(({ jobId }) => jobId),
    };
  };
  return inSession(databaseUrl, read, { query_timeout: ANSWER_LIMIT_MS });
}
