import { holdsWithin, now, pause } from './clock.js';
import type { Fault, Stage } from './faults/fault.js';
import type { Settled } from './settled.js';

/** A fault and what followed, up to the next one. */
export interface Stretch {
  readonly fault: string;
  readonly from: number;
  to: number;
  /** Null: not within the limit. */
  recoverySeconds: number | null;
}

export interface ScheduleOptions {
  readonly stage: Omit<Stage, 'say'>;
  readonly faults: readonly Fault[];
  readonly settled: Settled;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** After the last fault everything has this long to be applied. */
const RECOVERY_LIMIT_MS = 150_000;
const WARM_UP_MS = 1_500;

/**
 * Every fault once, then faults by chance until the time is up. The next one does not wait for ever until
 * the last is recovered from: recovery is measured beside it.
 */
export async function playFaults(options: ScheduleOptions): Promise<{
  readonly stretches: readonly Stretch[];
  /** Resolves when each is recovered from, or will not be. */
  readonly recovered: Promise<void>;
}> {
  const { stage, faults, seconds, say } = options;
  const end = now() + seconds * 1_000;
  const stretches: Stretch[] = [];
  const recoveries: Promise<void>[] = [];
  const begin = now();
  await pause(WARM_UP_MS);
  const play = async (fault: Fault, firstPass: boolean) => {
    const at = now();
    const last = stretches.at(-1);
    if (last) last.to = at;
    const stretch: Stretch = {
      fault: fault.name,
      from: last ? at : begin,
      to: Number.POSITIVE_INFINITY,
      recoverySeconds: null,
    };
    stretches.push(stretch);
    const { recovery } = await suffer(options, fault, stretch, firstPass);
    recoveries.push(recovery);
  };
  for (const fault of faults) {
    if (now() < end) await play(fault, true);
    else say(`${fault.name}: not reached in ${seconds} s`);
  }
  while (now() < end) await play(stage.random.pick(faults), false);
  return { stretches, recovered: Promise.all(recoveries).then(() => {}) };
}

/** Resolves, when the next fault may begin, with the promise of recovery. */
async function suffer(
  { stage, settled, seconds, say }: ScheduleOptions,
  fault: Fault,
  stretch: Stretch,
  firstPass: boolean,
): Promise<{ readonly recovery: Promise<void> }> {
  const remarks: string[] = [];
  const begun = now();
  const undo = await fault.begin({ ...stage, say: (line) => remarks.push(line) });
  await pause(holdMs(fault, seconds, firstPass));
  await undo();
  const over = now();
  const told = () => [`${fault.name}: ${inSeconds(over - begun)}`, ...remarks].join(', ');
  const recovery = holdsWithin(RECOVERY_LIMIT_MS, () => settled.behind(over) === 0).then((held) => {
    if (held) stretch.recoverySeconds = Math.round((now() - over) / 10) / 100;
    const what = held ? `recovered after ${stretch.recoverySeconds} s` : 'not recovered';
    say(`${told()}; ${what}`);
  });
  await pause(settleMs(seconds));
  return { recovery };
}

/** A minute of the default five for what is stopped; the others need a few seconds to show. */
function holdMs({ lasts }: Fault, seconds: number, firstPass: boolean): number {
  if (lasts === 'moment') return 0;
  if (lasts === 'long' && firstPass) return Math.min(seconds / 5, 60) * 1_000;
  return Math.min(Math.max(seconds / 75, 1.5), 6) * 1_000;
}

function settleMs(seconds: number): number {
  return Math.min(Math.max(seconds / 75, 2), 8) * 1_000;
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
