import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrangeFaketime, offset, restartWith, wrongByFile } from './faketime.js';
import type { Fault, Stage } from './fault.js';

const DAY_S = 24 * 3_600;
const YEAR_S = 365 * DAY_S;
/** It may say that it is not ready, and why: what it does all the same is what counts. */
const READY_LIMIT_MS = 5_000;
/** Its schedules come round many times while the fault lasts, retention too. */
const OFTEN = { PAYONCE_WORKER_RELEASE_INTERVAL_MS: '100' } as const;
/** A batch has some kilobytes: it is cut in the middle, and its jobs wait for another try. */
const MOST_BYTES = 100_000;

/**
 * What such a worker writes of times must do no harm once it is gone: what it dropped, what it leased, and
 * when it wanted to try again.
 */
export const workerClockFaults: readonly Fault[] = [
  wrong({
    name: 'worker-clock-ahead',
    does: 'the clock of one worker is a year ahead; then the worker is killed',
    seconds: { from: YEAR_S, to: YEAR_S },
    // Retention comes round once in four seconds.
    lasts: 'medium',
  }),
  wrong({
    name: 'worker-clock-behind',
    does: 'the clock of one worker is a day behind; then the worker is killed',
    seconds: { from: -DAY_S, to: -DAY_S },
    lasts: 'short',
  }),
  wrong({
    name: 'clock-goes-back',
    does: "one worker's clock goes back by an hour while it runs; then the worker is killed",
    seconds: { from: 0, to: -3_600 },
    lasts: 'short',
  }),
];

interface Wrong extends Pick<Fault, 'name' | 'does' | 'lasts'> {
  /** How wrong the clock is when the worker starts, and when it is at work. */
  readonly seconds: { readonly from: number; readonly to: number };
}

function wrong({ seconds, ...about }: Wrong): Fault {
  return {
    ...about,
    besidesMs: 7_000,
    arrange: arrangeFaketime,
    async begin(stage) {
      const { cluster, random, say } = stage;
      const index = random.between(0, cluster.workers.length - 1);
      const worker = cluster.workers[index];
      if (worker === undefined) throw new Error('there is no worker');
      const file = join(tmpdir(), `payonce-chaos-clock-${process.pid}`);
      writeFileSync(file, offset(seconds.from));
      await restartWith(stage, worker, { ...wrongByFile(file), ...OFTEN }, READY_LIMIT_MS);
      say(worker.part.name);
      writeFileSync(file, offset(seconds.to));
      const mend = hinder(stage, index);
      return async () => {
        worker.setEnv({});
        // What it has in hand is left to the others, with the times that it wrote.
        await worker.part.crash();
        mend();
        rmSync(file, { force: true });
      };
    },
  };
}

/** Batches break and the merchant's system refuses: the worker has to write when it will try again. */
function hinder({ cluster: { consumer, links }, random }: Stage, index: number): () => void {
  const link = links.workerOrders[index];
  link?.inflict({ kind: 'cut', afterBytes: () => random.between(1, MOST_BYTES) });
  consumer.behave({ kind: 'fails', status: () => 500 });
  return () => {
    link?.heal();
    consumer.behave({ kind: 'takes' });
  };
}
