import type { Tx } from '@payonce/orders/database/transaction';
import { readReportedTotals } from '@payonce/orders/reports/copy-rows';

export interface Received {
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
    const received = Math.max(row.acknowledged + (total?.count ?? 0), row.copies + 1);
    return { ...row, received, lastReportedAt: total?.lastAt ?? null };
  });
}
