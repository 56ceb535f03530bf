import closeWithGrace from 'close-with-grace';
import { withDeadline } from './deadline.js';
import { ConfigError } from './errors.js';
import type { Log } from './log.js';

/** The parts that a process has started. They stop one after the other, the last one first. */
export interface Lifecycle {
  /**
   * Call it right after the part was started. `stop` may be called while later parts still start.
   */
  onStop(name: string, stop: () => Promise<void> | void): void;
  /** Stops every part, once. A part that fails to stop does not affect the others. */
  stop(): Promise<void>;
  /** The handler of SIGHUP, in a process that reloads; it must not throw. */
  onReload(reload: () => void): void;
  reload(): void;
}

export function createLifecycle(log: Log): Lifecycle {
  const parts: { name: string; stop: () => Promise<void> | void }[] = [];
  const reloads: (() => void)[] = [];
  return {
    onStop: (name, stop) => void parts.push({ name, stop }),
    async stop() {
      for (let part = parts.pop(); part; part = parts.pop()) {
        try {
          await part.stop();
          log.debug({ part: part.name }, 'process.part_stopped');
        } catch (err) {
          log.warn({ err, part: part.name }, 'process.part_stop_failed');
        }
      }
    },
    onReload: (reload) => void reloads.push(reload),
    reload() {
      for (const reload of reloads) reload();
    },
  };
}

/**
 * Runs a process. `start` starts its parts and registers each. SIGTERM, SIGINT or an uncaught error
 * stops them in reverse. A second signal or the drain limit ends the process at once. SIGHUP, sent
 * by a closing terminal, stops the process too, unless it reloads.
 */
export async function runProcess(
  log: Log,
  options: {
    /**
     * The longest time from the signal to the end. The supervisor that sends the signal must wait
     * longer.
     */
    readonly drainLimitMs: number;
    /** SIGHUP reloads, as in daemons; even a SIGHUP during the start must not end the process. */
    readonly reloads?: boolean;
    readonly start: (lifecycle: Lifecycle) => Promise<void>;
  },
): Promise<void> {
  const { drainLimitMs, reloads = false, start } = options;
  const lifecycle = createLifecycle(log);
  if (reloads) process.on('SIGHUP', () => lifecycle.reload());
  closeWithGrace(
    {
      delay: drainLimitMs,
      skip: reloads ? ['SIGHUP'] : [],
      logger: { error: (message: unknown) => log.error({ err: message }, 'process.stop_failed') },
      onSecondSignal: (signal: string) => log.warn({ signal }, 'process.second_signal'),
      onTimeout: () => log.error({ drainLimitMs }, 'process.stop_timed_out'),
    },
    async ({ signal, err }: { signal?: string; err?: Error }) => {
      if (err) log.fatal({ err }, 'process.crashed');
      else log.info({ signal }, 'process.stopping');
      await lifecycle.stop();
      log.info('process.stopped');
    },
  );
  try {
    await start(lifecycle);
  } catch (err) {
    if (err instanceof ConfigError) log.fatal({ faults: err.faults }, 'process.misconfigured');
    else log.fatal({ err }, 'process.start_failed');
    await withDeadline(lifecycle.stop(), drainLimitMs, 'stopping').catch(() => {});
    process.exit(1);
  }
}
