import { type Job, WaitingError } from 'bullmq';

/** What is used of BullMQ's worker. */
interface Taker {
  run(): Promise<void>;
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
}

/** Lets a worker of BullMQ take jobs, or not; from before it is opened to its end. */
export interface Tap {
  /** Takes no more jobs; those in hand go on. */
  pause(): void;
  /** Takes jobs. Also starts a worker that has stopped by itself. */
  resume(): void;
  readonly isPaused: boolean;
  /** The worker is there: begins, unless it is paused. */
  attach(worker: Taker): void;
  /** Throws for a job that came while paused, once it waits again as before. */
  putBackWhilePaused(job: Pick<Job, 'moveToWait'>, token: string | undefined): Promise<void>;
}

/** @param onEnd the worker has ended with this error */
export function createTap(onEnd: (err: unknown) => void): Tap {
  let paused = false;
  let worker: Taker | null = null;
  let begun = false;
  const begin = () => {
    if (worker === null || begun) return;
    begun = true;
    worker.run().catch(onEnd);
  };
  return {
    pause() {
      if (paused) return;
      paused = true;
      worker?.pause(true).catch(onEnd);
    },
    resume() {
      paused = false;
      if (begun) worker?.resume().catch(onEnd);
      else begin();
    },
    get isPaused() {
      return paused;
    },
    attach(attached) {
      worker = attached;
      if (!paused) begin();
    },
    async putBackWhilePaused(job, token) {
      if (!paused) return;
      // A paused worker that was waiting for a job still gets that one. Back without an attempt.
      await job.moveToWait(token);
      throw new WaitingError();
    },
  };
}
