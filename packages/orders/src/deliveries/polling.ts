import type { Log } from '@payonce/core/runtime/log';

/** Looks for work at an interval, and at once when nudged. Two looks never run together. */
export interface Polling {
  /** Looks now, or once more when a look is under way. */
  nudge(): void;
  /** Resolves when the look under way has ended. */
  stop(): Promise<void>;
}

/** @param look may throw: the next poll tries again */
export function startPolling(log: Log, pollMs: number, look: () => Promise<void>): Polling {
  let wanted = false;
  let looking: Promise<void> | null = null;
  let stopped = false;
  let failing = false;

  const nudge = () => {
    wanted = true;
    if (stopped) return;
    looking ??= lookWhileWanted().finally(() => {
      looking = null;
      if (wanted) nudge();
    });
  };

  const lookWhileWanted = async () => {
    while (wanted && !stopped) {
      wanted = false;
      try {
        await look();
        if (failing) log.info('deliveries.search_recovered');
        failing = false;
      } catch (err) {
        // One log line is enough.
        if (!failing) log.warn({ err }, 'deliveries.search_failed');
        failing = true;
      }
    }
  };

  const timer = setInterval(nudge, pollMs);
  return {
    nudge,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
  };
}
