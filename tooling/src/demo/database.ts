import { Pool } from 'pg';

/** The rows of one order in PostgreSQL: the demonstration judges by nothing else. */
export interface StoredOrder {
  readonly status: string | null;
  readonly paid: string | null;
  readonly refunded: string | null;
  /**
   * Outcomes of the events of this order, with the reason of a hold: `applied`, `held:
   * unknown_order`.
   */
  readonly outcomes: readonly string[];
  /** Rows of `order.paid` in the outbox. */
  readonly paidEvents: number;
}

export interface Database {
  read(orderNumber: string): Promise<StoredOrder>;
  close(): Promise<void>;
}

const SQL = `
  SELECT o.status, o.paid_amount AS paid, o.refunded_amount AS refunded,
    ARRAY(
      SELECT e.outcome || coalesce(': ' || e.hold_reason, '') FROM notification_events e
      WHERE e.merchant = $1 AND e.order_number = $2 ORDER BY e.id
    ) AS outcomes,
    (SELECT count(*)::int FROM order_events x WHERE x.order_id = o.id AND x.type = 'order.paid') AS "paidEvents"
  FROM (SELECT 1) one LEFT JOIN orders o ON o.merchant = $1 AND o.number = $2`;

export function openDatabase(databaseUrl: string, merchant: string): Database {
  // One for each concurrent provider.
  const pool = new Pool({ connectionString: databaseUrl, max: 3 });
  pool.on('error', () => {}); // the next query fails
  return {
    read: async (orderNumber) => {
      const { rows } = await pool.query<StoredOrder>(SQL, [merchant, orderNumber]);
      if (!rows[0]) throw new Error('the database returned no row');
      return rows[0];
    },
    close: () => pool.end(),
  };
}
