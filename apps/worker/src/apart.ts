import { setTimeout as wait } from 'node:timers/promises';
import { AppError, isLocked } from '@payonce/core/errors';
import type { ApplyOutcome, VerifiedNotification } from '@payonce/core/notifications/notification';

type Submit = (notification: VerifiedNotification) => Promise<ApplyOutcome>;

/** What is locked by a batch that is under way is free after 10 to 300 ms: so the first tries come soon. */
const WAITS_MS = [25, 50, 100, 200, 400] as const;
/** However long the tries themselves take. */
const LIMIT_MS = 1_000;

/**
 * Tries a locked notification again and again for about a second, in batches with nothing but its like: those that
 * nobody has locked never wait for it. A lock that lasts longer is for the queue to wait for.
 * @param together applies it in a batch with all others
 * @param apart applies it in a batch of those that were locked
 * @param roomFor how many may wait here: each takes the place of another job
 * @param random from 0 to 1
 */
export function createApart(
  together: Submit,
  apart: Submit,
  roomFor: number,
  random: () => number = Math.random,
) {
  let waiting = 0;

  async function tryAgain(notification: VerifiedNotification, error: unknown) {
    const deadline = performance.now() + LIMIT_MS;
    let last = error;
    for (const ms of WAITS_MS) {
      if (performance.now() > deadline || hasWaited(last)) break;
      await wait(ms * (0.5 + random()));
      try {
        return await apart(notification);
      } catch (reason) {
        if (!isLocked(reason)) throw reason;
        last = reason;
      }
    }
    throw last;
  }

  return {
    /**
     * @param suspect it was locked before, or a worker that has stopped had it: it has one try, apart at once
     * @throws AppError `locked` when it still is; or what applying it threw
     */
    async submit(notification: VerifiedNotification, suspect: boolean): Promise<ApplyOutcome> {
      if (suspect) return apart(notification);
      try {
        return await together(notification);
      } catch (error) {
        if (!isLocked(error) || hasWaited(error) || waiting >= roomFor) throw error;
        waiting += 1;
        return await tryAgain(notification, error).finally(() => {
          waiting -= 1;
        });
      }
    },
  };
}

/** It was not skipped but waited for, until PostgreSQL ended the wait: an insert of somebody else's, or a table. */
function hasWaited(error: unknown): boolean {
  return error instanceof AppError && error.cause !== undefined;
}
