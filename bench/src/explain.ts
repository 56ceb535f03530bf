import { readFileSync } from 'node:fs';
import { drainRate, fill } from './backlog.js';
import { seedTables } from './seed-tables.js';
import type { Stage } from './stage.js';

/** The last plan of a repeated query is the most telling one: caches are warm. */
const QUERY = /duration: [\d.]+ ms {2}plan:\s*Query Text: /;

/** The rows of a batch, as opposed to a worker's scheduled statements. */
const OF_A_BATCH =
  /^(?=.*\b(INTO|FROM|UPDATE) (notifications|notification_events|orders|order_events|trades|facts)\b).*(unnest| = ANY)\(/;

/** Enough that no plan reads a whole table, and few enough that it takes a minute. */
const STORED = 200_000;

/**
 * The plan of every statement with which a worker applies its batches. PostgreSQL's `auto_explain`
 * records it with real parameters, on a database that has grown.
 */
export async function explain(stage: Stage): Promise<string> {
  const { scale, stores, programs, jobs, say } = stage;
  const target = await stores.freshTarget();
  try {
    await seedTables(target, Math.min(scale.stored.many, STORED), say);
    await stores.settle();
    const from = readFileSync(stores.postgresLog, 'utf8').length;
    for (const [name, value] of Object.entries(SETTINGS)) {
      await target.query(
        `ALTER ROLE CURRENT_USER IN DATABASE ${databaseOf(target.databaseUrl)} SET ${name} = '${value}'`,
      );
    }
    const own = jobs().slice(0, scale.grownBacklog);
    await fill(target, own);
    const worker = await programs.worker(target);
    await drainRate(stores.redis, own.length, scale.drainLimitMs);
    await worker.stop();
    return plansIn(readFileSync(stores.postgresLog, 'utf8').slice(from));
  } finally {
    await target.remove();
  }
}

const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_parameter_max_length': '0',
} as const;

function plansIn(log: string): string {
  const plans = new Map<string, string>();
  for (const entry of log.split(/^(?=\S.* LOG: )/m)) {
    if (!QUERY.test(entry)) continue;
    const [, duration = ''] = /duration: ([\d.]+) ms/.exec(entry) ?? [];
    const lines =
      entry
        .split('Query Text: ')[1]
        ?.split('\n')
        .map((line) => line.replace(/^\t/, '')) ?? [];
    const start = lines.findIndex((line) => /\(cost=/.test(line));
    const text = lines.slice(0, start).join(' ').replace(/\s+/g, ' ').trim();
    if (!OF_A_BATCH.test(text)) continue;
    plans.set(
      text,
      `${text}\n\n${lines.slice(start).join('\n').trimEnd()}\nDuration: ${duration} ms`,
    );
  }
  return [...plans.values()].join('\n\n---\n\n');
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1);
}
