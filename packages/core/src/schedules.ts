/** A task that runs again and again until it is stopped. */
export interface Schedule {
  /** No further run begins; resolves when the one in hand has ended. */
  stop(): Promise<void>;
}

export interface ScheduleOptions {
  readonly intervalMs: number;
  /** One bounded step. True: there is more to do, so the next step follows without the interval. */
  readonly run: () => Promise<boolean>;
  /** A failed run is followed by the next one after the interval, as any other. */
  readonly onError: (error: unknown) => void;
  /** From 0 to 1; given by tests. */
  readonly random?: () => number;
}

/** Part of an interval that is left to chance, so that several workers do not all come at once. */
const JITTER = 0.2;

/** Starts a schedule of its own timer. Runs never overlap: the interval begins when a run has ended. */
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
