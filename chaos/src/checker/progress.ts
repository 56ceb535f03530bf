import type { OrderTerms } from '@payonce/testkit/oracle/oracle';
import { Pool } from 'pg';
import { now } from '../clock.js';
import type { WorkloadNotification } from '../history/history.js';
import type { HistoryRecorder } from '../history/recorder.js';

/** Follows, in the database itself, the state of every acknowledged notification. */
export interface Progress {
  /** Acknowledged at or before that time, and not yet in the final state. */
  behind(at: number): number;
  /** Those first acknowledged between these times, and not yet in the final state. */
  waiting(from: number, to: number): readonly WorkloadNotification[];
  /** Order events on their way to the merchant's system, without abandoned ones. */
  undelivered(): Promise<number>;
  close(): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly merchant: string;
  readonly notification_id: string;
  readonly status: string;
}

interface Open {
  readonly notification: WorkloadNotification;
  readonly at: number;
  held: boolean;
}

const INTERVAL_MS = 250;
/** Rows become visible when their transaction commits, not in the order of their numbers. */
const MARGIN_ROWS = 2_000;
/** Rows that are still open after this may be among older ones: now and then all are read. */
const LATE_MS = 3_000;
const ALL_INTERVAL_MS = 2_000;

const UNDELIVERED = `
  SELECT (SELECT count(*) FROM order_events WHERE fanned_out_at IS NULL)::int
    + (SELECT count(*) FROM deliveries WHERE state = 'pending')::int AS undelivered`;

export function watchProgress(databaseUrl: string, recorder: HistoryRecorder): Progress {
  const pool = openPool(databaseUrl);
  const open = new Map<string, Open>();
  const orderOf = ordersByNumber(recorder.history.orders);
  let highest = 0;
  let allAt = 0;
  let closed = false;

  recorder.onAcknowledged = (notification, at) => {
    const merchant = orderOf(notification.orderNumber)?.merchant ?? '';
    open.set(nameOf(merchant, notification.jobToken), { notification, at, held: false });
  };

  const see = ({ id, merchant, notification_id, status }: Row) => {
    highest = Math.max(highest, Number(id));
    // v2 IDs are built around the number of the trade or refund.
    for (const token of [notification_id, ...notification_id.split('-')]) {
      const name = nameOf(merchant, token);
      const one = open.get(name);
      if (!one) continue;
      const { notification } = one;
      const unsigned = notification.meaning.kind === 'refund' && notification.meaning.unsigned;
      one.held = status === 'held';
      if (!one.held || unsigned || !orderOf(notification.orderNumber)?.registered)
        open.delete(name);
    }
  };
  const look = async () => {
    const late = [...open.values()].some(({ at }) => at < now() - LATE_MS);
    const all = late && now() - allAt > ALL_INTERVAL_MS;
    const { rows } = await pool.query<Row>(
      'SELECT id, merchant, notification_id, status FROM notifications WHERE id > $1',
      [all ? 0 : highest - MARGIN_ROWS],
    );
    if (all) allAt = now();
    for (const row of rows) see(row);
  };
  let timer: NodeJS.Timeout | undefined;
  const poll = async () => {
    if (open.size > 0) await look().catch(() => {});
    if (!closed) timer = setTimeout(poll, INTERVAL_MS);
  };
  void poll();

  const waiting = (from: number, to: number) =>
    [...open.values()].flatMap(({ notification, at, held }) => {
      // Waits for a merchant that has not registered the order yet.
      const early = held && !recorder.registering.has(notification.orderNumber);
      return at >= from && at <= to && !early ? [notification] : [];
    });
  return {
    waiting,
    behind: (at) => waiting(0, at).length,
    async undelivered() {
      const { rows } = await pool.query<{ undelivered: number }>(UNDELIVERED);
      return rows[0]?.undelivered ?? 0;
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await pool.end();
    },
  };
}

function openPool(databaseUrl: string): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: 1_000,
    query_timeout: 3_000,
    application_name: 'chaos',
  });
  pool.on('error', () => {}); // it is being broken on purpose
  return pool;
}

/** Looks orders up in a list that grows. */
function ordersByNumber(all: readonly OrderTerms[]): (number: string) => OrderTerms | undefined {
  const orders = new Map<string, OrderTerms>();
  let known = 0;
  return (number) => {
    for (; known < all.length; known += 1) {
      const order = all[known];
      if (order) orders.set(order.number, order);
    }
    return orders.get(number);
  };
}

/** Two merchants may claim one trade. */
function nameOf(merchant: string, token: string): string {
  return `${merchant} ${token}`;
}
