import { randomBytes, randomInt } from 'node:crypto';

/** The providers' formats of money, times and identifiers. */

const BEIJING_OFFSET_MS = 8 * 3600 * 1000;

/** 8880n → "88.80", as Alipay writes amounts. */
export function yuanText(fen: bigint): string {
  if (fen < 0n) throw new RangeError('providers write no negative amounts');
  return `${fen / 100n}.${(fen % 100n).toString().padStart(2, '0')}`;
}

function beijing(at: Date): string {
  return new Date(at.getTime() + BEIJING_OFFSET_MS).toISOString();
}

/** `2026-11-23 16:32:00`, Beijing time (Alipay; v2 refund notices). */
export function beijingTime(at: Date): string {
  return beijing(at).slice(0, 19).replace('T', ' ');
}

/** `2026-11-23 16:32:00.123`: Alipay's `gmt_refund` carries a fraction. */
export function beijingTimeWithFraction(at: Date): string {
  return beijing(at).slice(0, 23).replace('T', ' ');
}

/** `20261123163200` (v2 `time_end`). */
export function beijingDigits(at: Date): string {
  return beijing(at).slice(0, 19).replace(/\D/g, '');
}

/** `2026-11-23T16:32:00+08:00` (v3). */
export function beijingRfc3339(at: Date): string {
  return `${beijing(at).slice(0, 19)}+08:00`;
}

export function unixSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

export function randomDigits(length: number): string {
  return Array.from({ length }, () => String(randomInt(10))).join('');
}

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits, evenly distributed: nonces and API keys. */
export function randomText(length: number): string {
  return Array.from({ length }, () =>
    LETTERS_AND_DIGITS.charAt(randomInt(LETTERS_AND_DIGITS.length)),
  ).join('');
}

export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
