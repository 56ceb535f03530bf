import { join } from 'node:path';
import { until } from '@payonce/testkit/machine/poll';
import { remaining } from '../backlog.js';
import { writeRequests } from '../requests.js';
import { repeat } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Target } from '../stores.js';
import { loaded } from './ack.js';
import type { Case } from './case.js';

/** The rate of a shop with seventeen million orders a day. */
const STEADY_PER_SECOND = 200;
/**
 * All warm-up requests are sent and applied; the measurement does not wait for the rest of this
 * time.
 */
const WARM_UP_LIMIT_MS = 60_000;

export const latency: Case = {
  name: 'latency',
  does: 'milliseconds from receipt to applied at 200 per second: p50 and p99',
  async measure(stage) {
    const files = filesOf(stage);
    const found: { p50: number; p99: number }[] = [];
    const p99 = await repeat(
      { name: 'latency', unit: 'ms (p99)', against: 'nothing: 200 a second' },
      stage.scale.rounds,
      async () => {
        const quantiles = await receiptToApplied(stage, files);
        found.push(quantiles);
        return quantiles.p99;
      },
      stage.say,
    );
    const p50 = await repeat(
      { name: 'latency.p50', unit: 'ms (p50)', against: p99.against },
      found.length,
      async () => found.shift()?.p50 ?? Number.NaN,
      () => {},
    );
    return [p99, p50];
  },
  async side(stage) {
    const files = filesOf(stage);
    return {
      async measure() {
        const { p50, p99 } = await receiptToApplied(stage, files);
        return [
          { name: 'latency', unit: 'ms (p99)', value: p99, better: 'less' },
          { name: 'latency.p50', unit: 'ms (p50)', value: p50, better: 'less' },
        ];
      },
      end: async () => {},
    };
  },
};

export const ackLatency: Case = {
  name: 'ack.latency',
  does: 'milliseconds to the reply, p99, at half of the peak rate',
  async measure(stage) {
    const files = filesOf(stage);
    const start = async (target: Target) => {
      const gateway = await stage.programs.gateway(target, 'redis');
      await warmUp(stage, files, gateway.origin);
      return gateway;
    };
    const peak = await loaded(stage, start, { file: files.after });
    const ratePerSecond = Math.floor(peak.acknowledged / peak.seconds / 2);
    return [
      await repeat(
        { name: 'ack.latency', unit: 'ms (p99)', against: `nothing: ${ratePerSecond} a second` },
        stage.scale.rounds,
        async () => (await loaded(stage, start, { file: files.after, ratePerSecond })).p99,
        stage.say,
      ),
    ];
  },
};

interface Files {
  readonly first: string;
  /** Requests for other orders. */
  readonly after: string;
}

function filesOf({ scale, requests, folder }: Stage): Files {
  const files = { first: join(folder, 'first.jsonl'), after: join(folder, 'after.jsonl') };
  writeRequests(files.first, requests().slice(0, scale.warmRequests));
  writeRequests(files.after, requests().slice(scale.warmRequests));
  return files;
}

/**
 * The measured processes have run for a while: in the first thousands of requests most of the time
 * goes into compiling.
 */
async function warmUp({ programs }: Stage, { first }: Files, origin: string): Promise<void> {
  await programs.load({ origin, file: first, warmMs: 0, measureMs: WARM_UP_LIMIT_MS });
}

/** The gateway's time of receipt and PostgreSQL's time of the commit: one machine, one clock. */
async function receiptToApplied(stage: Stage, files: Files): Promise<{ p50: number; p99: number }> {
  const { scale, stores, programs } = stage;
  const target = await stores.freshTarget();
  try {
    const worker = await programs.worker(target);
    const gateway = await programs.gateway(target, 'redis');
    await warmUp(stage, files, gateway.origin);
    await until('what came first to be applied', WARM_UP_LIMIT_MS, async () => {
      return (await remaining(stores.redis)) === 0;
    });
    const from = new Date(Date.now() + scale.warmMs).toISOString();
    const { refused, acknowledged } = await programs.load({
      origin: gateway.origin,
      file: files.after,
      warmMs: scale.warmMs,
      measureMs: scale.steadyMs,
      ratePerSecond: STEADY_PER_SECOND,
    });
    await gateway.stop();
    await worker.stop();
    const [row] = await target.query<{ p50: number; p99: number; applied: number }>(
      `SELECT count(*)::int AS applied, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
         percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
       FROM (SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(e.xmin) - n.received_at)::float8 AS ms
         FROM notification_events e JOIN notifications n ON n.id = e.notification_row_id
         WHERE n.received_at > '${from}') AS told`,
    );
    if (!row || refused > 0 || row.applied < acknowledged * 0.9) {
      throw new Error(`${row?.applied} of ${acknowledged} were applied, ${refused} refused`);
    }
    return row;
  } finally {
    await target.remove();
  }
}
