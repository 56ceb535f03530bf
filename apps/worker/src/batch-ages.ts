/** Batches in hand: how long the oldest of them has been. */
export interface BatchAges {
  /** @returns to be called when the batch is over */
  began(): () => void;
  /** 0 when there is none. */
  oldestMs(): number;
}

/** @param now milliseconds that never go back */
export function createBatchAges(now: () => number = () => performance.now()): BatchAges {
  const begun = new Set<{ readonly at: number }>();
  return {
    began() {
      const batch = { at: now() };
      begun.add(batch);
      return () => void begun.delete(batch);
    },
    oldestMs() {
      // In the order in which they began.
      const [oldest] = begun;
      return oldest ? now() - oldest.at : 0;
    },
  };
}
