import { mkdirSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Command, runCommand, stopwatch } from '@payonce/tooling/command';
import { claim } from '@payonce/tooling/run-file';
import { stopRequest } from '@payonce/tooling/stop-requests';
import { startCluster } from './cluster/cluster.js';
import { createHistoryRecorder } from './history/recorder.js';
import { type ChaosOptions, readOptions } from './options.js';
import { asJson, asTable, isClean } from './report.js';
import { run } from './run.js';

/** `npm run chaos`. Exits with 1 after a finding. */
export function chaos({ root, state, args }: Command): Promise<number> {
  return runCommand(
    () => readOptions(args),
    (options) => withCluster(root, join(state, 'chaos'), options),
  );
}

async function withCluster(root: string, folder: string, options: ChaosOptions): Promise<number> {
  const stopped = stopRequest();
  mkdirSync(folder, { recursive: true });
  const runFile = await claim(folder);
  const say = stopwatch();
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
