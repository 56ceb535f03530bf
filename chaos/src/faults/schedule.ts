import { holdsWithin } from '@payonce/testkit/machine/poll';
import { now, pause } from '../clock.js';
import type { Fault, FaultContext } from './fault.js';

/** A fault and the time until the next one. */
export interface FaultWindow {
  readonly fault: string;
  readonly from: number;
  to: number;
  /** Null: not within the limit. */
  recoverySeconds: number | null;
}

export interface ScheduleOptions {
  readonly context: Omit<FaultContext, 'say'>;
  readonly faults: readonly Fault[];
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** After the last fault everything has this long to be applied. */
const RECOVERY_LIMIT_MS = 150_000;
const WARM_UP_MS = 1_500;
/** Some load between two faults, in any case. */
export const LEAST_PATIENCE_MS = 1_500;
/** The rest is for random faults. */
const FIRST_PASS_SHARE = 0.9;

/**
 * Plays every fault once, then random faults until the time is up. The next one waits only a
 * limited time for the recovery from the last one: recovery is measured in parallel.
 */
export async function playFaults(options: ScheduleOptions): Promise<{
  readonly windows: readonly FaultWindow[];
  /** Resolves when all have recovered, or will not. */
  readonly recovered: Promise<void>;
}> {
  const { context, faults, seconds, say } = options;
  const end = now() + seconds * 1_000;
  const windows: FaultWindow[] = [];
  const recoveries: Promise<void>[] = [];
  const begin = now();
  await pause(WARM_UP_MS);
  const play = async (fault: Fault, holdMs: number, patienceMs: number) => {
    const at = now();
    const last = windows.at(-1);
    if (last) last.to = at;
    const window: FaultWindow = {
      fault: fault.name,
      from: last ? at : begin,
      to: Number.POSITIVE_INFINITY,
      recoverySeconds: null,
    };
    windows.push(window);
    const { recovery } = await applyFault(options, fault, window, holdMs, patienceMs);
    recoveries.push(recovery);
  };
  for (const [index, fault] of faults.entries()) {
    const left = end - now();
    if (left < 0) say(`${fault.name}: not reached in ${seconds} s`);
    else await play(fault, holdMs(fault, seconds), patienceMs(faults.slice(index), left, seconds));
  }
  while (now() < end) {
    const fault = context.random.pick(faults);
    const hold = Math.min(holdMs(fault, seconds), HOLD_S.medium(seconds) * 1_000);
    await play(fault, hold, shortPatienceMs(seconds));
  }
  return { windows, recovered: Promise.all(recoveries).then(() => {}) };
}

/** Resolves, when the next fault may begin, with the promise of recovery. */
async function applyFault(
  { context, say }: ScheduleOptions,
  fault: Fault,
  window: FaultWindow,
  hold: number,
  patience: number,
): Promise<{ readonly recovery: Promise<void> }> {
  const { progress } = context;
  const remarks: string[] = [];
  const begun = now();
  say(`${fault.name} …`);
  const undo = await fault.begin({ ...context, say: (line) => remarks.push(line) });
  await pause(hold);
  await undo();
  const over = now();
  const summary = () => [`${fault.name}: ${inSeconds(over - begun)}`, ...remarks].join(', ');
  const recovery = holdsWithin(RECOVERY_LIMIT_MS, () => progress.behind(over) === 0).then(
    (held) => {
      if (held) window.recoverySeconds = Math.round((now() - over) / 10) / 100;
      const what = held ? `recovered after ${window.recoverySeconds} s` : 'not recovered';
      say(`${summary()}; ${what}`);
    },
  );
  await Promise.all([pause(LEAST_PATIENCE_MS), Promise.race([recovery, pause(patience)])]);
  return { recovery };
}

/** Long outages take one minute in fifteen; the others need a few seconds to show. */
function holdMs({ lasts }: Fault, seconds: number): number {
  return HOLD_S[lasts](seconds) * 1_000;
}

/** The minimum duration of a fault in a run of so many seconds, without the load after it. */
export function costMs(fault: Fault, seconds: number): number {
  return holdMs(fault, seconds) + (fault.besidesMs ?? 0);
}

const HOLD_S: Readonly<Record<Fault['lasts'], (seconds: number) => number>> = {
  moment: () => 0,
  short: (seconds) => between(1.5, seconds / 200, 6),
  // The measurement during the fault needs so long.
  medium: (seconds) => between(6, seconds / 50, 30),
  long: (seconds) => between(4, seconds / 15, 60),
};

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function shortPatienceMs(seconds: number): number {
  return between(4, seconds / 20, 30) * 1_000;
}

/**
 * How long the next fault may wait for the recovery from this one, so that all still get their
 * turn.
 */
function patienceMs(still: readonly Fault[], leftMs: number, seconds: number): number {
  const holds = still.reduce((sum, fault) => sum + costMs(fault, seconds), 0);
  const share = (leftMs * FIRST_PASS_SHARE - holds) / still.length;
  // The share is an average: most recover at once, and leave their time to the others.
  return Math.min(Math.max(share * 2, LEAST_PATIENCE_MS), shortPatienceMs(seconds));
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
