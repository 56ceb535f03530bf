import type { DatabaseDeps } from '../database/deps.js';
import { isOpen } from './circuit.js';

export interface DeliveryCounts {
  readonly pending: number;
  readonly parked: number;
  /** The age of the oldest waiting one, fanned out or not; 0 when none waits. */
  readonly oldestSeconds: number;
  readonly endpoints: {
    readonly enabled: number;
    readonly open: number;
    readonly disabled: number;
  };
}

/** For gauges. @throws the driver's error */
export async function countDeliveries({ prisma, clock }: DatabaseDeps): Promise<DeliveryCounts> {
  const now = clock();
  const [row] = await prisma.$queryRaw<
    {
      pending: bigint;
      parked: bigint;
      oldest: Date | null;
      enabled: bigint;
      open: bigint;
      disabled: bigint;
    }[]
  >`
    SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') AS pending,
      (SELECT count(*) FROM deliveries WHERE state = 'parked') AS parked,
      LEAST((SELECT min(created_at) FROM order_events WHERE fanned_out_at IS NULL),
        (SELECT min(created_at) FROM deliveries WHERE state = 'pending')) AS oldest,
      count(*) FILTER (WHERE disabled_at IS NULL AND NOT ${isOpen(now)}) AS enabled,
      count(*) FILTER (WHERE disabled_at IS NULL AND ${isOpen(now)}) AS open,
      count(*) FILTER (WHERE disabled_at IS NOT NULL) AS disabled
    FROM webhook_endpoints WHERE deleted_at IS NULL`;
  if (row === undefined) throw new Error('a count has a row');
  const { pending, parked, oldest, enabled, open, disabled } = row;
  return {
    pending: Number(pending),
    parked: Number(parked),
    oldestSeconds: oldest === null ? 0 : Math.max(0, (now.getTime() - oldest.getTime()) / 1_000),
    endpoints: { enabled: Number(enabled), open: Number(open), disabled: Number(disabled) },
  };
}
