import { REPLY_BOUNDS_MS } from '@payonce/core/queue/report';
import type { Tx } from '@payonce/orders/database/transaction';
import type { Percentiles } from '../schemas/stats.js';

/** Notifications in the sample: enough for a p99, and found by their IDs without a search. */
const SAMPLE = 5_000;

/** From receipt to the worker's transaction, of the latest notifications. */
export async function readApplyLatency(tx: Tx, since: Date): Promise<Percentiles> {
  const [row] = await tx.$queryRaw<Percentiles[]>`
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
      percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
    FROM (SELECT created_at, extract(epoch FROM created_at - received_at)::float8 * 1000 AS ms
      FROM notifications ORDER BY id DESC LIMIT ${SAMPLE}) AS latest
    WHERE created_at >= ${since}`;
  return { p50: whole(row?.p50), p99: whole(row?.p99) };
}

/** From gateways' counts per bucket. */
export async function readReplyLatency(tx: Tx, since: Date): Promise<Percentiles> {
  const rows = await tx.gatewayMinute.findMany({
    where: { minute: { gte: since } },
    select: { replyBuckets: true },
  });
  const buckets = sumOf(rows.map((row) => row.replyBuckets));
  return { p50: percentileOf(buckets, 0.5), p99: percentileOf(buckets, 0.99) };
}

/**
 * The bound below which this share of the replies lies. Null without replies, and if it lies among
 * replies slower than the greatest bound.
 */
export function percentileOf(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  const index = buckets.findIndex((count) => {
    below += count;
    return below >= total * share;
  });
  return REPLY_BOUNDS_MS[index] ?? null;
}

function sumOf(all: readonly (readonly number[])[]): number[] {
  return [...REPLY_BOUNDS_MS, Number.POSITIVE_INFINITY].map((_, index) =>
    all.reduce((sum, buckets) => sum + (buckets[index] ?? 0), 0),
  );
}

function whole(ms: number | null | undefined): number | null {
  return ms == null ? null : Math.round(ms);
}
