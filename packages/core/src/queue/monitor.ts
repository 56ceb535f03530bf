import { messageOf } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { describeState, type QueueState } from './notification-queue.js';

/** On an open connection, settings change (`CONFIG SET`, a new replica) and memory fills. */
const WHILE_READY_MS = 2_000;
const WHILE_DOWN_MS = 1_000;

/** Tracks whether a store may take jobs. Only a finished check makes it `ready`. */
export interface Monitor {
  readonly state: QueueState;
  /**
   * Reports a lost or doubtful connection: down at once, until a check that begins after this
   * succeeds.
   */
  lost(reason: string): void;
  checkNow(): void;
  stop(): void;
}

/** @param check asks the store and responds within seconds; an error counts as down */
export function startMonitor(check: () => Promise<QueueState>, log: Log): Monitor {
  let state: QueueState = { state: 'starting' };
  let timer: NodeJS.Timeout | undefined;
  let losses = 0;
  let running = false;
  let again = false;
  let stopped = false;

  function set(next: QueueState): void {
    const changed = describeState(next) !== describeState(state);
    state = next;
    if (!changed || stopped) return;
    if (next.state === 'down') log.error({ reason: next.reason }, 'queue.down');
    if (next.state === 'ready') log.info('queue.ready');
  }

  async function run(): Promise<void> {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    const lossesBefore = losses;
    const next = await check().catch(
      (error): QueueState => ({ state: 'down', reason: messageOf(error) }),
    );
    running = false;
    if (stopped) return;
    if (losses === lossesBefore) set(next);
    if (again) {
      again = false;
      void run();
      return;
    }
    timer = setTimeout(run, state.state === 'ready' ? WHILE_READY_MS : WHILE_DOWN_MS).unref();
  }

  void run();
  return {
    get state() {
      return state;
    },
    lost(reason) {
      losses += 1;
      set({ state: 'down', reason });
      void run();
    },
    checkNow: () => void run(),
    stop() {
      stopped = true;
      clearTimeout(timer);
      state = { state: 'down', reason: 'closed' };
    },
  };
}
