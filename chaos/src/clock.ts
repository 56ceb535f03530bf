/** Milliseconds since the epoch with fractions, from one monotonic clock: all times of a run. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Whether it held before the limit; checked twenty times a second. An error counts as "no". */
export async function holdsWithin(
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const end = now() + limitMs;
  for (;;) {
    try {
      if (await holds()) return true;
    } catch {
      // The check may fail because of a fault that is played.
    }
    if (now() > end) return false;
    await pause(50);
  }
}
