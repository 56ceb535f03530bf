import { holdsWithin } from '@payonce/testkit/machine/poll';
import { seededRandom } from '@payonce/testkit/machine/random';
import { createSender } from '@payonce/testkit/sending/sender';
import { judge } from './checker/checker.js';
import { watchProgress } from './checker/progress.js';
import { readStored } from './checker/stored.js';
import { now } from './clock.js';
import type { Cluster } from './cluster/cluster.js';
import { openQueues } from './cluster/queues.js';
import type { Fault } from './faults/fault.js';
import { type FaultWindow, playFaults } from './faults/schedule.js';
import type { HistoryRecorder } from './history/recorder.js';
import type { ChaosOptions } from './options.js';
import type { Line } from './report.js';
import { createGenerator } from './workload/generator.js';
import { createLoad } from './workload/load.js';
import { createMessageComposer } from './workload/messages.js';
import { startRegistrar } from './workload/registrar.js';

/**
 * For notifications that are not acknowledged when the faults are over, then for those that are not
 * applied.
 */
const LAST_SENDING_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 150_000;
/** Then for events that were not delivered. */
const DELIVERY_LIMIT_MS = 150_000;
/** Findings that are printed one by one. */
const MAX_FINDINGS = 20;

/**
 * Load, faults, drain and verdict on a running cluster. @returns a line per fault, and one for all
 */
export async function run(
  cluster: Cluster,
  recorder: HistoryRecorder,
  options: ChaosOptions,
  say: (line: string) => void,
): Promise<readonly Line[]> {
  const random = seededRandom(options.seed);
  const composer = createMessageComposer(cluster.channels, cluster.rival);
  const generator = createGenerator(composer, seededRandom(random.between(0, 2 ** 31)), runName());
  const queues = openQueues(cluster.redisUrl, cluster.queueDatabaseUrl);
  const progress = watchProgress(cluster.databaseUrl, recorder);
  const sender = createSender();
  const registrar = startRegistrar(cluster.consoleUrl, cluster.consoleApiKey, recorder, say);
  const load = createLoad({
    notifyUrls: cluster.notifyUrls,
    recorder,
    sender,
    registrar,
    generator,
    scheduleMs: options.seconds * 1_000,
  });
  const context = { cluster, load, generator, queues, random, progress, registrar, recorder };
  try {
    const faults = await arranged(options.faults, { ...context, say }, say);
    load.start();
    const { windows, recovered } = await playFaults({
      context,
      faults,
      seconds: options.seconds,
      say,
    });
    load.stop();
    say('the faults are over: what is not acknowledged is sent again, then everything is applied');
    const left = await load.finish(LAST_SENDING_LIMIT_MS);
    if (left > 0) say(`${left} notifications were never acknowledged`);
    const drained = await holdsWithin(DRAIN_LIMIT_MS, async () => {
      return (
        registrar.waiting === 0 && progress.behind(now()) === 0 && (await queues.waiting()) === 0
      );
    });
    const delivered = await holdsWithin(
      DELIVERY_LIMIT_MS,
      async () => (await progress.undelivered()) === 0,
    );
    if (!delivered)
      say(`the merchant is not told of everything within ${DELIVERY_LIMIT_MS / 1_000} s`);
    if (!drained) say(`not drained within ${DRAIN_LIMIT_MS / 1_000} s`);
    await recovered;
    return await verdicts(cluster, recorder, windows, say);
  } finally {
    load.close();
    registrar.close();
    sender.close();
    await Promise.allSettled([queues.close(), progress.close()]);
  }
}

async function arranged(
  faults: readonly Fault[],
  context: Parameters<NonNullable<Fault['arrange']>>[0],
  say: (line: string) => void,
): Promise<readonly Fault[]> {
  const possible: Fault[] = [];
  for (const fault of faults) {
    const why = (await fault.arrange?.(context)) ?? null;
    if (why === null) possible.push(fault);
    else say(`${fault.name}: NOT ARRANGED here (${why})`);
  }
  if (possible.length === 0) throw new Error('no fault can be arranged here');
  return possible;
}

async function verdicts(
  cluster: Cluster,
  recorder: HistoryRecorder,
  windows: readonly FaultWindow[],
  say: (line: string) => void,
): Promise<readonly Line[]> {
  const stored = await readStored(cluster.databaseUrl);
  const lines = windows.map(({ fault, from, to, recoverySeconds }): Line => {
    return { fault, ...judge(recorder.history, stored, { from, to }).verdict, recoverySeconds };
  });
  const { verdict, findings } = judge(recorder.history, stored);
  for (const finding of findings.slice(0, MAX_FINDINGS)) say(finding);
  if (findings.length > MAX_FINDINGS) say(`and ${findings.length - MAX_FINDINGS} more`);
  const recoveries = windows.map(({ recoverySeconds }) => recoverySeconds);
  const longest = recoveries.reduce((most, one) =>
    most === null || one === null ? null : Math.max(most, one),
  );
  return [...lines, { fault: 'all', ...verdict, recoverySeconds: longest }];
}

/** Order numbers of different runs differ. */
function runName(): string {
  return Date.now().toString(36);
}
