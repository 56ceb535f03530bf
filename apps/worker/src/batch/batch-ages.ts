/** The batches under way, and the age of the oldest. */
export interface BatchAges {
  /** @returns a function to call when the batch is over */
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
      // The set is in the order of starts.
      const [oldest] = begun;
      return oldest ? now() - oldest.at : 0;
    },
  };
}
