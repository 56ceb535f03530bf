/** Milliseconds since the epoch with fractions, from one clock that never goes back: all of a run's times. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Whether it held before the limit; looked at twenty times a second. What it throws counts as "no". */
export async function holdsWithin(
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const end = now() + limitMs;
  for (;;) {
    try {
      if (await holds()) return true;
    } catch {
      // Asked of something that is being broken on purpose.
    }
    if (now() > end) return false;
    await pause(50);
  }
}
