import { type Job, WaitingError } from 'bullmq';

/** The used part of BullMQ's worker. */
interface Taker {
  run(): Promise<void>;
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
}

/** Lets a worker of BullMQ take jobs, or not, from before it is opened to its end. */
export interface PauseControl {
  /** Takes no more jobs; running ones go on. */
  pause(): void;
  /** Takes jobs. Also starts a worker that has stopped by itself. */
  resume(): void;
  readonly isPaused: boolean;
  /** Adds the worker, and starts it unless paused. */
  attach(worker: Taker): void;
  /** Throws for a job that came while paused, after returning it to the waiting jobs. */
  putBackWhilePaused(job: Pick<Job, 'moveToWait'>, token: string | undefined): Promise<void>;
}

/** @param onEnd receives the error with which the worker ended */
export function createPauseControl(onEnd: (err: unknown) => void): PauseControl {
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
      // A paused worker that was waiting for a job still gets that one. It goes back without an
      // attempt.
      await job.moveToWait(token);
      throw new WaitingError();
    },
  };
}
