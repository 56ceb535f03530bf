import { AppError, messageOf } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import { anyReady, isReady, type NotificationQueue } from './notification-queue.js';
import { REDIS_SHARE_MS } from './time-limits.js';

/** While the standby serves, one add per interval probes the first store, and pays for it. */
const PROBE_INTERVAL_MS = 2_000;

/** Two stores as one; the caller that opened them closes them. */
export interface StandbyQueue extends Omit<NotificationQueue, 'close'> {
  /** The name of the store that is asked first. */
  readonly current: string;
}

/**
 * Combines two stores. Each add is tried in both before it fails; only their order changes. The
 * preferred store comes first until it refuses an add or uses up its share. Then the standby comes
 * first, until a probe in the preferred store succeeds. A store that is known to be down refuses at
 * once and costs nothing. An abandoned add may have arrived: a job can be in both stores, and is
 * applied once.
 */
export function standbyQueue(
  first: NotificationQueue,
  standby: NotificationQueue,
  { log, onSwitch }: { readonly log: Log; readonly onSwitch: (to: string) => void },
): StandbyQueue {
  let current = first;
  let switchedAt = Number.NEGATIVE_INFINITY;
  let probeAt = 0;

  /**
   * While one add probes the first store, other adds use the standby. Most circuit breakers would
   * delay or refuse them.
   */
  function beginWith(now: number): NotificationQueue {
    if (current === first) return first;
    if (now < probeAt) return standby;
    probeAt = now + PROBE_INTERVAL_MS;
    return first;
  }

  function taken(store: NotificationQueue, startedAt: number, failure: unknown): void {
    // An add that began before the last switch says nothing about the time after it.
    if (store === current || startedAt < switchedAt) return;
    current = store;
    switchedAt = performance.now();
    probeAt = switchedAt + PROBE_INTERVAL_MS;
    if (store === first) log.info({ to: store.name }, 'queue.first_store_returned');
    else log.warn({ to: store.name, reason: reasonOf(failure) }, 'queue.standby_took_over');
    onSwitch(store.name);
  }

  return {
    name: `${first.name}, ${standby.name}`,
    get current() {
      return current.name;
    },
    get state() {
      return anyReady([first, standby]);
    },
    async enqueue(job, limitMs) {
      const startedAt = performance.now();
      const one = beginWith(startedAt);
      const other = one === first ? standby : first;
      try {
        await one.enqueue(job, shareOf(one === first, other, limitMs));
        taken(one, startedAt, null);
        return one.name;
      } catch (failure) {
        try {
          await other.enqueue(job, limitMs - (performance.now() - startedAt));
        } catch (second) {
          const detail = `${one.name}: ${reasonOf(failure)}; ${other.name}: ${reasonOf(second)}`;
          throw new AppError('queue_unavailable', { detail, cause: second });
        }
        taken(other, startedAt, failure);
        return other.name;
      }
    },
  };
}

/** Reserves no time for a store that takes nothing. */
function shareOf(isFirst: boolean, other: NotificationQueue, limitMs: number): number {
  if (!isReady(other)) return limitMs;
  const firstShareMs = Math.min(REDIS_SHARE_MS, limitMs / 2);
  return isFirst ? firstShareMs : limitMs - firstShareMs;
}

/** For the log: the specific reason. */
function reasonOf(failure: unknown): string {
  if (!(failure instanceof AppError)) return messageOf(failure);
  return (
    failure.detail ?? (failure.cause === undefined ? failure.message : messageOf(failure.cause))
  );
}
