import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/** In a valid JSON text: a whole string, or a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** Fifteen digits are always exact in a double. */
const EXACT_INTEGER = /^-?\d{1,15}$/;
/** A mark of inexact numbers, in a JSON text without its strings. */
const INEXACT = /\d[.eE]|\d{16}/;

/**
 * Reads a JSON object strictly. Null for broken UTF-8, a byte order mark, anything but one object,
 * and for a repeated key in one object (`JSON.parse` would silently keep the last). A number that
 * is not a plain integer of up to 15 digits becomes null. Real payloads have IDs such as
 * `4.2000012322021104e+27`, and no amount is better than a rounded one.
 */
export function parseJsonObject(bytes: Buffer): JsonObject | null {
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return null;
    const skeleton = withoutStrings(text);
    if (keysIn(value) !== skeleton.split(':').length - 1) return null;
    return INEXACT.test(skeleton) ? JSON.parse(withoutInexact(text)) : value;
  } catch {
    return null;
  }
}

/**
 * For a valid JSON text. Searches for quotes only, natively: half the time of a regular expression.
 */
function withoutStrings(text: string): string {
  let rest = '';
  let start = 0;
  for (let open = text.indexOf('"'); open !== -1; open = text.indexOf('"', start)) {
    rest += text.slice(start, open);
    let close = text.indexOf('"', open + 1);
    while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
    start = close + 1;
  }
  return rest + text.slice(start);
}

/** A quote after an odd number of backslashes belongs to its string. */
function isEscaped(text: string, quote: number): boolean {
  let before = quote;
  while (text[before - 1] === '\\') before -= 1;
  return (quote - before) % 2 === 1;
}

/**
 * In a JSON text without its strings each colon stands for a key: with a repeated key, fewer keys
 * were read.
 */
function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items = Object.values(value);
  let count = Array.isArray(value) ? 0 : items.length;
  for (const item of items) count += keysIn(item);
  return count;
}

function withoutInexact(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || EXACT_INTEGER.test(token) ? token : 'null',
  );
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
