/** Where the time comes from. Pure code gets the time as a value; only shells hold a clock. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();
