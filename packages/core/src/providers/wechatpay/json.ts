import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/** In a text that is known to be JSON: a whole string, or (second) a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const STRING_OR_MARK = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}:]/g;

/** Fifteen digits are always exact in a double. */
const EXACT_INTEGER = /^-?\d{1,15}$/;

/**
 * Reads a JSON object strictly. Null for broken UTF-8, a byte order mark, anything but one object, and
 * for a key that stands twice in one object (`JSON.parse` would silently keep the last).
 * A number that is not a plain integer of up to 15 digits comes out as null: real payloads exist whose
 * IDs became `4.2000012322021104e+27`, and no amount at all is better than a rounded one.
 */
export function parseJsonObject(bytes: Buffer): JsonObject | null {
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || hasDoubledKey(text)) return null;
    const exact = text.replace(STRING_OR_NUMBER, (token) =>
      token.startsWith('"') || EXACT_INTEGER.test(token) ? token : 'null',
    );
    return exact === text ? value : JSON.parse(exact);
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One pass over the marks of a text that is known to be JSON: a string before ":" is a key. */
function hasDoubledKey(json: string): boolean {
  const openObjects: Set<string>[] = [];
  let lastString = '';
  for (const [token] of json.matchAll(STRING_OR_MARK)) {
    if (token === '{') openObjects.push(new Set());
    else if (token === '}') openObjects.pop();
    else if (token === ':') {
      const keys = openObjects.at(-1);
      // Parsed, because `"\u0069d"` is another way to write `"id"`.
      const key = JSON.parse(lastString);
      if (keys?.has(key)) return true;
      keys?.add(key);
    } else lastString = token;
  }
  return false;
}
