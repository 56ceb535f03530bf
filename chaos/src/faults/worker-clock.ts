import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { offset } from '@payonce/tooling/faketime';
import { arrangeFaketime, bentClock, restartWith } from './faketime.js';
import type { Fault, FaultContext } from './fault.js';

const DAY_S = 24 * 3_600;
const YEAR_S = 365 * DAY_S;
/** It may report that it is not ready; its actions are what counts. */
const READY_LIMIT_MS = 5_000;
/** Its schedules run many times during the fault, including retention. */
const OFTEN = { PAYONCE_WORKER_RELEASE_INTERVAL_MS: '100' } as const;
/** A batch has some kilobytes: it is cut in the middle, and its jobs wait for another try. */
const MOST_BYTES = 100_000;

/**
 * The times that such a worker wrote must do no harm once it is gone: erased bytes, leases, and
 * planned retries.
 */
export const workerClockFaults: readonly Fault[] = [
  wrong({
    name: 'worker-clock-ahead',
    does: 'the clock of one worker is a year ahead; then the worker is killed',
    seconds: { from: YEAR_S, to: YEAR_S },
    // Retention runs once in four seconds.
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
  /** The clock's error when the worker starts, and while it works. */
  readonly seconds: { readonly from: number; readonly to: number };
}

function wrong({ seconds, ...about }: Wrong): Fault {
  return {
    ...about,
    besidesMs: 7_000,
    arrange: arrangeFaketime,
    async begin(context) {
      const { cluster, random, say } = context;
      const index = random.between(0, cluster.workers.length - 1);
      const worker = cluster.workers[index];
      if (worker === undefined) throw new Error('there is no worker');
      const file = join(tmpdir(), `payonce-chaos-clock-${process.pid}`);
      writeFileSync(file, offset(seconds.from));
      await restartWith(context, worker, { ...bentClock({ file }), ...OFTEN }, READY_LIMIT_MS);
      say(worker.process.name);
      writeFileSync(file, offset(seconds.to));
      const mend = hinder(context, index);
      return async () => {
        worker.setEnv({});
        // Leaves its running work to the others, with the times that it wrote.
        await worker.process.crash();
        mend();
        rmSync(file, { force: true });
      };
    },
  };
}

/**
 * Breaks batches and lets the merchant's system refuse: the worker has to write times of retries.
 */
function hinder(
  { cluster: { consumer, proxies }, random }: FaultContext,
  index: number,
): () => void {
  const link = proxies.workerOrders[index];
  link?.inflict({ kind: 'cut', afterBytes: () => random.between(1, MOST_BYTES) });
  consumer.behave({ kind: 'fails', status: () => 500 });
  return () => {
    link?.heal();
    consumer.behave({ kind: 'takes' });
  };
}
