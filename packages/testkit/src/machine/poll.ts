/**
 * Waiting for a state, with a deadline. A condition that holds returns at once, so patience costs
 * nothing.
 */
const INTERVAL_MS = 25;
/** Long enough for a busy machine. */
const USUAL_LIMIT_MS = 15_000;

type Check<T> = () => T | Promise<T>;

/** Waits until the check returns true. @throws Error naming `what` after the limit, or its error */
export async function until(what: string, limitMs: number, holds: Check<boolean>): Promise<void> {
  const held = await lastWithin(limitMs, holds, Boolean);
  if (!held) throw new Error(`${what}: not within ${limitMs / 1_000} s`);
}

/** Whether the check returned true before the limit. An error counts as "no". */
export function holdsWithin(limitMs: number, holds: Check<boolean>): Promise<boolean> {
  return lastWithin(
    limitMs,
    async () => {
      try {
        return await holds();
      } catch {
        return false;
      }
    },
    Boolean,
  );
}

/**
 * Waits until the check neither throws nor returns false, and returns its result.
 * @throws its last error after the limit
 */
export async function eventually<T>(check: Check<T>, limitMs = USUAL_LIMIT_MS): Promise<T> {
  const attempt = async () => {
    try {
      const result = await check();
      return { result, error: result === false ? new Error(`not yet: ${check}`) : null };
    } catch (error) {
      return { result: undefined as T, error };
    }
  };
  const last = await lastWithin(limitMs, attempt, ({ error }) => error === null);
  if (last.error !== null) throw last.error;
  return last.result;
}

/** Reads until the result is as wanted. @returns that result, or the last one after the limit */
export async function lastWithin<T>(
  limitMs: number,
  read: Check<T>,
  isWanted: (result: T) => boolean,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const result = await read();
    if (isWanted(result) || performance.now() >= end) return result;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}
