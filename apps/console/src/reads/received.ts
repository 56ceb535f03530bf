import type { Tx } from '@payonce/orders/database/transaction';
import { readReportedTotals } from '@payonce/orders/reports/copy-rows';

export interface Received {
  /** How often gateways acknowledged it, including the first time. */
  readonly reported: number;
  /** Null without a report, and after the retention period. */
  readonly lastReportedAt: Date | null;
  /**
   * A lower bound of the received copies, including the first: the queue swallows most of them, and
   * gateways may die before they report.
   */
  readonly received: number;
}

/** Joins one page of notifications with what gateways report of them. */
export async function withReceived<
  Row extends { readonly id: bigint; readonly acknowledged: number; readonly copies: number },
>(tx: Pick<Tx, '$queryRaw'>, rows: readonly Row[]): Promise<(Row & Received)[]> {
  const totals = await readReportedTotals(
    tx,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => {
    const total = totals.get(row.id);
    const reported = row.acknowledged + (total?.count ?? 0);
    const received = Math.max(reported, row.copies + 1);
    return { ...row, reported, lastReportedAt: total?.lastAt ?? null, received };
  });
}
