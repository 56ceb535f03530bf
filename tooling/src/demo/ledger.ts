import { Pool } from 'pg';

/** The rows of one order in PostgreSQL: the demonstration judges by nothing else. */
export interface Held {
  readonly status: string | null;
  readonly paidAmount: string | null;
  readonly refundedAmount: string | null;
  /**
   * Outcomes of the events of this order, with the reason of a hold: `applied`, `held:
   * unknown_order`.
   */
  readonly outcomes: readonly string[];
  /** Rows of `order.paid` in the outbox. */
  readonly paidEvents: number;
}

export interface Ledger {
  read(orderNumber: string): Promise<Held>;
  close(): Promise<void>;
}

const SQL = `
  SELECT o.status, o.paid_amount AS "paidAmount", o.refunded_amount AS "refundedAmount",
    ARRAY(
      SELECT e.outcome || coalesce(': ' || e.hold_reason, '') FROM notification_events e
      WHERE e.merchant = $1 AND e.order_number = $2 ORDER BY e.id
    ) AS outcomes,
    (SELECT count(*)::int FROM order_events x WHERE x.order_id = o.id AND x.type = 'order.paid') AS "paidEvents"
  FROM (SELECT 1) one LEFT JOIN orders o ON o.merchant = $1 AND o.number = $2`;

export function openLedger(databaseUrl: string, merchant: string): Ledger {
  // One for each concurrent provider.
  const pool = new Pool({ connectionString: databaseUrl, max: 3 });
  pool.on('error', () => {}); // the next query tells
  return {
    read: async (orderNumber) => {
      const { rows } = await pool.query<Held>(SQL, [merchant, orderNumber]);
      if (!rows[0]) throw new Error('the ledger answered with no row');
      return rows[0];
    },
    close: () => pool.end(),
  };
}
