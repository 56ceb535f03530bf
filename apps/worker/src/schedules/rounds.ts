/** One bounded step through rows in the order of their IDs. */
export interface WalkStep {
  /** The last row of the step; the given one if there was none. */
  readonly last: bigint;
  /** Whether there may be more rows after it. */
  readonly more: boolean;
}

/**
 * Walks through rows in steps. At the end it looks only at new rows, and begins a new round after
 * `pause` steps. So it looks again at rows that it could not settle, but not all the time.
 * @returns one step; true when the next one may follow at once
 */
export function inRounds(
  pause: number,
  step: (after: bigint) => Promise<WalkStep>,
): () => Promise<boolean> {
  let after = 0n;
  let atEnd = 0;
  return async () => {
    const { last, more } = await step(after);
    after = last;
    if (more) return true;
    atEnd += 1;
    if (atEnd < pause) return false;
    atEnd = 0;
    after = 0n;
    return false;
  };
}
