import { connect, type Prepared, send } from './sender.js';
import type { LoadResult, LoadSpec } from './spec.js';

/** One request per connection at all times, until the time is over or all are sent. */
export async function closedLoop(
  spec: LoadSpec,
  requests: readonly Prepared[],
): Promise<LoadResult> {
  const tally = startTally(spec);
  const next = sequence(spec, requests);
  await Promise.all(
    Array.from({ length: spec.connections }, async () => {
      const client = connect(spec.origin);
      for (let request = next(); request && !tally.isOver(); request = next()) {
        const startedAt = performance.now();
        tally.add(startedAt, await send(client, request));
      }
      client.destroy();
    }),
  );
  return tally.result();
}

/** A fixed number per second, independent of the replies. */
export async function openLoop(
  spec: LoadSpec & { readonly ratePerSecond: number | null },
  requests: readonly Prepared[],
): Promise<LoadResult> {
  const tally = startTally(spec);
  const next = sequence(spec, requests);
  const clients = Array.from({ length: spec.connections }, () => connect(spec.origin));
  const everyMs = 1_000 / (spec.ratePerSecond ?? 1);
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let sent = 0; !tally.isOver(); ) {
    const due = startedAt + sent * everyMs;
    if (due > performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    const request = next();
    const client = clients[sent % clients.length];
    if (!request || !client) break;
    sent += 1;
    const sending = send(client, request).then((ok) => {
      tally.add(due, ok);
      underWay.delete(sending);
    });
    underWay.add(sending);
  }
  await Promise.all(underWay);
  for (const client of clients) client.destroy();
  return tally.result();
}

/** The next request to send; undefined when none is left. */
function sequence({ order }: LoadSpec, requests: readonly Prepared[]): () => Prepared | undefined {
  let sent = 0;
  return () => {
    const nth = sent++;
    if (order === 'distinct') return requests[nth];
    const fresh = Math.floor(nth / 10);
    // Copies of earlier requests, spread out by a prime; the same in each run.
    return nth % 10 === 0 ? requests[fresh] : requests[(nth * 7_919) % (fresh + 1)];
  };
}

/** On a busy machine there may be no reply yet when the time is over. */
const LEAST_REPLIES = 20;
const PATIENCE_MS = 20_000;

function startTally({ warmMs, measureMs }: LoadSpec) {
  const from = performance.now() + warmMs;
  const until = from + measureMs;
  const latencies: number[] = [];
  let refused = 0;
  let lastAt = from;
  return {
    isOver() {
      const now = performance.now();
      return now >= until && (latencies.length >= LEAST_REPLIES || now >= until + PATIENCE_MS);
    },
    /** @param startedAt when it was sent, or should have been */
    add(startedAt: number, ok: boolean) {
      const now = performance.now();
      if (now < from || (now > until && latencies.length >= LEAST_REPLIES)) return;
      if (!ok) refused += 1;
      else latencies.push(now - startedAt);
      lastAt = now;
    },
    result(): LoadResult {
      const sorted = latencies.sort((a, b) => a - b);
      const quantile = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      return {
        acknowledged: sorted.length,
        refused,
        seconds: (lastAt - from) / 1_000,
        p50: quantile(0.5),
        p99: quantile(0.99),
      };
    },
  };
}
