/** Where the time comes from. Pure code gets the time as a value; only shells hold a clock. */
export type Clock = () => Date;

/** Well-kept clocks differ by milliseconds. One that differs by more is wrong, and what it wrote may be, too. */
export const WRONG_CLOCK_MS = 60_000;

export const systemClock: Clock = () => new Date();
