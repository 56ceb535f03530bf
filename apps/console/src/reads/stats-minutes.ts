import type { Tx } from '@payonce/orders/database/transaction';
import type { Minute } from '../schemas/stats.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;

type Counts = Omit<Minute, 'minute'>;
type Row = { readonly minute: Date } & Partial<Counts>;

const NOTHING: Counts = {
  ...{ received: 0, refused: 0, acknowledged: 0, unavailable: 0 },
  ...{ applied: 0, duplicate: 0, held: 0, ignored: 0 },
};

/** The last hour, minute by minute, including minutes without traffic. */
export async function readMinutes(tx: Tx, now: Date): Promise<Minute[]> {
  const first = Math.floor(now.getTime() / MINUTE_MS) - MINUTES + 1;
  const since = new Date(first * MINUTE_MS);
  const rows = [...(await readGatewayMinutes(tx, since)), ...(await readDecisions(tx, since))];
  const byMinute = new Map<number, Partial<Counts>>();
  for (const { minute, ...counts } of rows) {
    byMinute.set(minute.getTime(), { ...byMinute.get(minute.getTime()), ...counts });
  }
  return Array.from({ length: MINUTES }, (_, index) => {
    const minute = new Date((first + index) * MINUTE_MS);
    return { minute: minute.toISOString(), ...NOTHING, ...byMinute.get(minute.getTime()) };
  });
}

function readGatewayMinutes(tx: Tx, since: Date): Promise<Row[]> {
  return tx.$queryRaw<Row[]>`
    SELECT minute, sum(received)::float8 AS received, sum(refused)::float8 AS refused,
      sum(acknowledged)::float8 AS acknowledged, sum(unavailable)::float8 AS unavailable
    FROM gateway_minutes WHERE minute >= ${since} GROUP BY minute`;
}

/**
 * The schedule decides held events again and again, so held ones count in their minute of arrival.
 * A block index (BRIN) finds an hour of them, since time and place in the table correlate.
 */
function readDecisions(tx: Tx, since: Date): Promise<Row[]> {
  return tx.$queryRaw<Row[]>`
    SELECT date_trunc('minute', CASE WHEN outcome = 'held' THEN created_at ELSE decided_at END) AS minute,
      (count(*) FILTER (WHERE outcome = 'applied'))::float8 AS applied,
      (count(*) FILTER (WHERE outcome = 'duplicate'))::float8 AS duplicate,
      (count(*) FILTER (WHERE outcome = 'held'))::float8 AS held,
      (count(*) FILTER (WHERE outcome = 'ignored'))::float8 AS ignored
    FROM notification_events WHERE decided_at >= ${since} GROUP BY 1`;
}
