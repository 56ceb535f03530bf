import { mkdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { claim } from '@payonce/tooling/run-file';
import { stopRequest } from '@payonce/tooling/stop-requests';
import { startCluster } from './cluster/cluster.js';
import { createHistoryRecorder } from './history/recorder.js';
import { type ChaosOptions, readOptions, UsageError } from './options.js';
import { asJson, asTable, isClean } from './report.js';
import { run } from './run.js';

export interface ChaosCommand {
  /** The repository. */
  readonly root: string;
  /** Where a run of this clone may keep its files: a folder `chaos` in it. */
  readonly state: string;
  readonly args: readonly string[];
}

/**
 * `npm run chaos`.
 * @returns 0 without a finding; 2 for a wrong command line; else 1
 */
export async function chaos({ root, state, args }: ChaosCommand): Promise<number> {
  try {
    const options = readOptions(args);
    if ('help' in options) {
      console.log(options.help);
      return 0;
    }
    // By then everything is cleaned up. Timers and connections of clients with killed servers may
    // remain; this does not wait for them.
    process.exit(await withCluster(root, join(state, 'chaos'), options));
  } catch (error) {
    console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
    if (isUsage(error)) return 2;
    process.exit(1);
  }
}

async function withCluster(root: string, folder: string, options: ChaosOptions): Promise<number> {
  const stopped = stopRequest();
  mkdirSync(folder, { recursive: true });
  const runFile = await claim(folder);
  const startedAt = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.error(`${seconds.padStart(6)} s  ${line}`);
  };
  const recorder = createHistoryRecorder();
  const logs = join(folder, 'logs');
  rmSync(logs, { recursive: true, force: true });
  say(`seed ${options.seed}, ${options.seconds} s, ${cpus().length} cores (${cpus()[0]?.model})`);
  const { gateways, workers, former } = options;
  const apps = `${gateways} gateways, ${workers} workers, a console`;
  say(`starting PostgreSQL, Redis, ${apps}, and a proxy on every link`);
  const starting = startCluster({
    root,
    folder: join(folder, 'cluster'),
    logs,
    gateways,
    workers,
    former,
    onSpawn: ({ name, pid }) => runFile.add(name, pid),
    onAdd: recorder.added,
    onArrival: recorder.arrived,
    say,
  });
  try {
    const cluster = await Promise.race([starting, stopped]);
    const running = run(cluster, recorder, options, say);
    running.catch(() => {}); // when it is stopped before
    const lines = await Promise.race([running, stopped]);
    console.log(options.json ? asJson(lines) : asTable(lines));
    const clean = lines.every(isClean);
    say(`${clean ? 'clean' : 'NOT CLEAN'}: seed ${options.seed}; logs: ${logs}`);
    return clean ? 0 : 1;
  } finally {
    const [cluster] = await Promise.allSettled([starting]);
    if (cluster.status === 'fulfilled') await cluster.value.end();
    runFile.remove();
  }
}

function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE');
}
