/** A task that repeats until it is stopped. */
export interface Schedule {
  /** Starts no further run; resolves when the present run has ended. */
  stop(): Promise<void>;
}

export interface ScheduleOptions {
  readonly intervalMs: number;
  /**
   * One bounded step. True means that there is more to do: the next step follows without the
   * interval.
   */
  readonly run: () => Promise<boolean>;
  /** After a failed run the next one follows after the normal interval. */
  readonly onError: (error: unknown) => void;
  /** From 0 to 1; given by tests. */
  readonly random?: () => number;
}

/** The random part of an interval, so that several workers do not start at once. */
const JITTER = 0.2;

/**
 * Starts a schedule with its timer. Runs never overlap: the interval begins when a run has ended.
 */
export function startSchedule(options: ScheduleOptions): Schedule {
  const random = options.random ?? Math.random;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  const runOnce = async () => {
    let more = false;
    try {
      more = await options.run();
    } catch (error) {
      options.onError(error);
    }
    if (!stopped) wait(more ? 0 : options.intervalMs * (1 - JITTER * random()));
  };
  const wait = (delayMs: number) => {
    timer = setTimeout(() => {
      running = runOnce();
    }, delayMs);
  };

  wait(options.intervalMs * random());
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
