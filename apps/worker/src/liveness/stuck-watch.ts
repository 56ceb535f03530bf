/** The result of one look at a queue. */
export interface Look {
  readonly name: string;
  /** Jobs that wait to be taken; null when the store does not respond. */
  readonly waiting: number | null;
  /** Jobs that this process has taken from it since it started. */
  readonly taken: number;
}

/**
 * Detects a worker that silently stopped taking jobs. Only time during which every store responds
 * counts; after an outage the count starts again, since restarting workers repairs no store.
 * Independent of queues and clocks.
 */
export function createStuckWatch(limitMs: number) {
  const idleSince = new Map<string, { readonly at: number; readonly taken: number }>();
  return {
    /**
     * @returns the queue from which nothing was taken for the whole limit although jobs wait, or
     * null
     */
    look(looks: readonly Look[], databaseAnswers: boolean, nowMs: number): string | null {
      const allAnswer = databaseAnswers && looks.every(({ waiting }) => waiting !== null);
      let stuck: string | null = null;
      for (const { name, waiting, taken } of looks) {
        const since = idleSince.get(name);
        if (!allAnswer || waiting === 0) idleSince.delete(name);
        else if (since?.taken !== taken) idleSince.set(name, { at: nowMs, taken });
        else if (nowMs - since.at >= limitMs) stuck ??= name;
      }
      return stuck;
    },
  };
}
