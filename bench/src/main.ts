import { mkdirSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { readChannelFile } from '@payonce/core/config/channel-file';
import type { NewJob } from '@payonce/core/queue/job';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { type OwnedProcess, stop } from '@payonce/testkit/machine/process';
import { type Command, runCommand, stopwatch } from '@payonce/tooling/command';
import { claim } from '@payonce/tooling/run-file';
import { stopRequest } from '@payonce/tooling/stop-requests';
import { checkBuild, measureBuilds, openBuilds } from './against.js';
import { fill, jobsOf } from './backlog.js';
import { explain } from './explain.js';
import { asJson, asTable, type Measurement } from './measurement.js';
import { type BenchOptions, readOptions } from './options.js';
import { openPrograms } from './programs.js';
import { alipayPayments } from './requests.js';
import { FULL, QUICK, ROUNDS_AGAINST, type Scale } from './scale.js';
import type { Stage } from './stage.js';
import { startBenchStores } from './stores.js';

/** `npm run bench`. */
export function bench({ root, state, args }: Command): Promise<number> {
  return runCommand(
    () => readOptions(args),
    async (options) => {
      const against = options.against === null ? null : resolve(root, options.against);
      if (against !== null) checkBuild(against);
      await onStage(root, join(state, 'bench'), { ...options, against });
      return 0;
    },
  );
}

async function onStage(root: string, folder: string, options: BenchOptions): Promise<void> {
  const stopped = stopRequest();
  mkdirSync(folder, { recursive: true });
  const runFile = await claim(folder);
  const say = stopwatch();
  const [load = 0] = loadavg();
  say(`${cpus().length} cores (${cpus()[0]?.model}), load ${load.toFixed(2)}`);
  const owned: OwnedProcess[] = [];
  const onSpawn = (one: OwnedProcess) => {
    owned.push(one);
    runFile.add(one.name, one.pid);
  };
  try {
    await Promise.race([play(root, folder, options, onSpawn, say), stopped]);
  } finally {
    // Processes that still run were interrupted.
    for (const one of owned.reverse()) {
      await stop(one, one.name === 'postgres' ? 'SIGINT' : 'SIGTERM', 20_000);
    }
    runFile.remove();
  }
}

async function play(
  root: string,
  folder: string,
  options: BenchOptions,
  onSpawn: (owned: OwnedProcess) => void,
  say: (line: string) => void,
): Promise<void> {
  const scale = scaleOf(options);
  const logs = join(folder, 'logs');
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const keys = join(folder, 'simulator');
  const signers = await ensureSimulatedChannels(keys);
  const { channelsFile } = signers;
  const channels = readChannelFile({ PAYONCE_CHANNELS_FILE: channelsFile });
  const requestsFile = join(keys, `alipay-${scale.requests}.jsonl`);
  const stores = await startBenchStores({
    folder: join(folder, 'stores'),
    orders: scale.requests,
    settles: scale.settles,
    onSpawn,
  });
  const requests = once(() => alipayPayments(signers, scale.requests, requestsFile, say));
  const programs = { root, logs, channelsFile, onSpawn };
  const jobs = once((): readonly NewJob[] => jobsOf(requests(), channels));
  const stage: Stage = {
    scale,
    stores,
    programs: openPrograms(programs),
    channels,
    signers,
    requests,
    requestsFile,
    jobs,
    fill: (target, from, count) => fill(target, jobs().slice(from, from + count)),
    folder: logs,
    say,
  };
  try {
    if (options.against !== null) {
      await measureBuilds(await openBuilds(stage, programs, options.against), options);
    } else if (options.explain) console.log(await explain(stage));
    else await measure(stage, options);
  } finally {
    await stores.end();
  }
}

function scaleOf({ quick, against, rounds }: BenchOptions): Scale {
  const scale = quick ? QUICK : FULL;
  const usual = against === null || quick ? scale.rounds : ROUNDS_AGAINST;
  const wanted = rounds ?? usual;
  // Each round of `growth` has different notifications.
  const requests = Math.max(scale.requests, wanted * scale.grownBacklog);
  return { ...scale, rounds: wanted, requests };
}

async function measure(stage: Stage, { cases, json }: BenchOptions): Promise<void> {
  const all: Measurement[] = [];
  for (const one of cases) {
    stage.say(`${one.name}: ${one.does}`);
    const measurements = await one.measure(stage);
    all.push(...measurements);
    // Printed at once: an interrupted run keeps its results.
    if (json) for (const measurement of measurements) console.log(asJson(measurement));
  }
  if (!json) console.log(asTable(all));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
