/** The source of the time. Pure code gets the time as a value; only outer layers hold a clock. */
export type Clock = () => Date;

/**
 * Synchronised clocks differ by milliseconds. A larger difference means a wrong clock, and possibly
 * wrong times in the database.
 */
export const WRONG_CLOCK_MS = 60_000;

export const systemClock: Clock = () => new Date();
