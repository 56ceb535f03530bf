import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import type { Tx } from '@payonce/orders/database/transaction';
import { Prisma } from '@payonce/prisma/client';
import type { Figures, Waiting } from '../schemas/stats.js';

/**
 * The limit of counting: a page says "10,000 and more", and a backlog does not make the page slow.
 */
const MOST = 10_000;

interface Row {
  readonly count: number;
  readonly oldest: Date | null;
}

/**
 * @param rows `SELECT created_at …`, the oldest first; in the order of an index, so that PostgreSQL
 * reads no further
 */
async function readWaiting(tx: Tx, rows: Prisma.Sql): Promise<Waiting> {
  const [row] = await tx.$queryRaw<Row[]>`
    SELECT count(*)::int AS count, min(created_at) AS oldest
    FROM (${rows} LIMIT ${MOST + 1}) AS waiting`;
  const { count = 0, oldest = null } = row ?? {};
  const oldestAt = oldest?.toISOString() ?? null;
  return { count: Math.min(count, MOST), capped: count > MOST, oldestAt };
}

/** By reason; leaves out reasons without events. */
export async function readHeld(tx: Tx): Promise<Figures['held']> {
  const held: Figures['held'] = [];
  for (const reason of HOLD_REASONS) {
    const waiting = await readWaiting(
      tx,
      Prisma.sql`SELECT created_at FROM notification_events
        WHERE outcome = 'held' AND hold_reason = ${reason} ORDER BY id`,
    );
    if (waiting.count > 0) held.push({ reason, ...waiting });
  }
  return held;
}

export function readDeadLetters(tx: Tx): Promise<Waiting> {
  return readWaiting(
    tx,
    Prisma.sql`SELECT created_at FROM dead_letters
      WHERE redriven_at IS NULL AND dismissed_at IS NULL ORDER BY redriven_at, dismissed_at, id`,
  );
}

export function readOrderEvents(tx: Tx): Promise<Waiting> {
  return readWaiting(
    tx,
    Prisma.sql`SELECT created_at FROM order_events WHERE fanned_out_at IS NULL ORDER BY id`,
  );
}

/**
 * Leaves out deliveries that an operator rejected, or whose endpoint was deleted: they wait for
 * nothing.
 */
export async function readDeliveries(tx: Tx): Promise<Figures['deliveries']> {
  const pending = Prisma.sql`SELECT created_at FROM deliveries WHERE state = 'pending'
    ORDER BY next_attempt_at`;
  const parked = Prisma.sql`SELECT created_at FROM (
      SELECT created_at, parked_reason FROM deliveries WHERE state = 'parked'
      ORDER BY next_attempt_at DESC LIMIT ${MOST + 1}) AS latest
    WHERE parked_reason IN ('exhausted', 'endpoint_disabled')`;
  return { pending: await readWaiting(tx, pending), parked: await readWaiting(tx, parked) };
}

/** Tens of rows, or hundreds: a merchant has a few. */
export async function readEndpoints(tx: Tx, now: Date): Promise<Figures['endpoints']> {
  const [row] = await tx.$queryRaw<Figures['endpoints'][]>`
    SELECT (count(*) FILTER (WHERE disabled_at IS NULL))::int AS enabled,
      (count(*) FILTER (WHERE disabled_at IS NOT NULL))::int AS disabled,
      (count(*) FILTER (WHERE disabled_at IS NULL AND open_until > ${now}))::int AS "circuitOpen"
    FROM webhook_endpoints WHERE deleted_at IS NULL`;
  return row ?? { enabled: 0, disabled: 0, circuitOpen: 0 };
}
