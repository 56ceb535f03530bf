import { gatewayState } from '@payonce/core/queue/report';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { failureKind } from '@payonce/orders/database/failure';
import { latestRewind } from '@payonce/orders/database/rewinds';
import type { Tx } from '@payonce/orders/database/transaction';
import type { Figures, QueueState, Stats } from '../schemas/stats.js';
import { readApplyLatency, readReplyLatency } from './stats-latency.js';
import { readMinutes } from './stats-minutes.js';
import {
  readDeadLetters,
  readDeliveries,
  readEndpoints,
  readHeld,
  readOrderEvents,
} from './stats-waiting.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** Many people watch at once; one recent read serves all. */
const KEEP_MS = 1_000;
const LATENCY_MS = 5 * 60_000;
const GATEWAY_SEEN_MS = 10 * 60_000;
/** By then people have looked for what is missing. */
const REWIND_SHOWN_MS = 7 * 86_400_000;
/** More gateways than any shop runs. */
const MAX_GATEWAYS = 50;

/**
 * The figures of the overview. Reads at most once a second, however many people watch.
 * @param readQueues never throws
 */
export function createStats(
  deps: DatabaseDeps,
  readQueues: () => Promise<QueueState[]>,
): () => Promise<Stats> {
  let kept: { readonly until: number; readonly stats: Promise<Stats> } | null = null;
  return () => {
    const now = deps.clock().getTime();
    if (kept === null || kept.until <= now) {
      const stats = readStats(deps, readQueues);
      const reading = { until: Number.POSITIVE_INFINITY, stats };
      kept = reading;
      const end = () => {
        if (kept === reading) kept = { until: deps.clock().getTime() + KEEP_MS, stats };
      };
      stats.then(end, end);
    }
    return kept.stats;
  };
}

async function readStats(
  deps: DatabaseDeps,
  readQueues: () => Promise<QueueState[]>,
): Promise<Stats> {
  const now = deps.clock();
  const [queues, figures] = await Promise.all([
    readQueues(),
    readFigures(deps, now).catch((err) => {
      if (failureKind(err) === 'permanent') throw err;
      deps.log.warn({ err }, 'overview.read_failed');
      return null;
    }),
  ]);
  const database = figures === null ? 'down' : 'ready';
  return { at: now.toISOString(), database, queues, figures };
}

/**
 * Each query is bounded by rows or by time, and uses an index; the time-out bounds all of them
 * together.
 */
function readFigures({ prisma }: DatabaseDeps, now: Date): Promise<Figures> {
  const ago = (ms: number) => new Date(now.getTime() - ms);
  return withStatementTimeout(prisma, async (tx) => ({
    rewind: await readRewind(tx, ago(REWIND_SHOWN_MS)),
    minutes: await readMinutes(tx, now),
    held: await readHeld(tx),
    deadLetters: await readDeadLetters(tx),
    orderEvents: await readOrderEvents(tx),
    deliveries: await readDeliveries(tx),
    endpoints: await readEndpoints(tx, now),
    applyMs: await readApplyLatency(tx, ago(LATENCY_MS)),
    replyMs: await readReplyLatency(tx, ago(LATENCY_MS)),
    gateways: await readGateways(tx, ago(GATEWAY_SEEN_MS)),
  }));
}

async function readGateways(tx: Tx, since: Date): Promise<Figures['gateways']> {
  const rows = await tx.gateway.findMany({
    where: { seenAt: { gte: since } },
    orderBy: [{ seenAt: 'desc' }, { id: 'asc' }],
    take: MAX_GATEWAYS,
  });
  return rows.map((row) => ({
    id: row.id,
    startedAt: row.startedAt.toISOString(),
    seenAt: row.seenAt.toISOString(),
    state: gatewayState.safeParse(row.state).data ?? null,
  }));
}

async function readRewind(tx: Tx, since: Date): Promise<Figures['rewind']> {
  const latest = await latestRewind(tx, since);
  return latest && { ...latest, foundAt: latest.foundAt.toISOString() };
}
