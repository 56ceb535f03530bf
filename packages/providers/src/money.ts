/** Money is a bigint of minor units (fen), never a float. */

/**
 * Parses yuan as the providers write them: "88.80", "88.8", "88". Exact, or null.
 * @returns fen, or null for a sign, an exponent, a third decimal, spaces, or more than 15 digits of
 * yuan.
 */
export function parseYuan(text: string): bigint | null {
  const match = /^(\d{1,15})(?:\.(\d{1,2}))?$/.exec(text);
  if (!match) return null;
  return BigInt(match[1] ?? '0') * 100n + BigInt((match[2] ?? '').padEnd(2, '0'));
}

/** Parses fen written as an integer text: "8880". Null for anything else. */
export function parseFen(text: string): bigint | null {
  return /^\d{1,17}$/.test(text) ? BigInt(text) : null;
}

/**
 * A JSON number that is an exact count of fen; null for floats, negatives, unsafe integers, other
 * types.
 */
export function fenFromJson(value: unknown): bigint | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? BigInt(value)
    : null;
}

/** 8880n → "88.80". For people; never parsed again. */
export function formatYuan(fen: bigint): string {
  const sign = fen < 0n ? '-' : '';
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
