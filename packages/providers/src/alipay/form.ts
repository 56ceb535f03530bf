import { type Layout, Layouts } from './layout.js';

/** The worker reads data from a queue. Gateways of previous releases took bodies as large. */
const MAX_BODY_BYTES = 256 * 1024;
/** A trade notice has about 30 fields, and Alipay adds new ones. */
const MAX_FIELDS = 256;

/**
 * Names to values, both latin1, one character per byte: the signature covers bytes, and they may be
 * GBK. Strings, since thirty small Buffers cost as much as verifying a signature.
 */
export class Form {
  constructor(
    readonly layout: Layout,
    /** In order of arrival, like `layout.names`. */
    readonly values: readonly string[],
    /** No value contains a `&`: the signed text, cut at each `&`, gives these fields again. */
    readonly isPlain: boolean,
  ) {}

  get(name: string): string | undefined {
    const place = this.layout.places.get(name);
    return place === undefined ? undefined : this.values[place];
  }

  /** An empty value is signed like any other, but states nothing: its field counts as absent. */
  isFilled(name: string): boolean {
    return (this.get(name) ?? '') !== '';
  }
}

/**
 * Reads an `application/x-www-form-urlencoded` body, percent-decoding to bytes exactly once. Values
 * are signed as bytes, may be GBK, and may still contain an escape afterwards (`passback_params`).
 * The content type is ignored, because Alipay's is sometimes not standard.
 * @returns null for an empty or oversized body, a broken escape, or a repeated field: it would be a
 * guess which value was signed
 */
export function parseForm(body: Buffer, layouts = new Layouts()): Form | null {
  if (body.length === 0 || body.length > MAX_BODY_BYTES) return null;
  const fields = read(body);
  const layout = fields && layouts.of(fields.names);
  return layout && new Form(layout, fields.values, fields.isPlain);
}

/** Pieces between `&`, cut at their first `=`; skips empty pieces. */
function read(body: Buffer): {
  readonly names: string[];
  readonly values: string[];
  readonly isPlain: boolean;
} | null {
  const text = body.toString('latin1');
  const names: string[] = [];
  const values: string[] = [];
  // The next position of each character, found natively and once: most fields have no escape, and
  // are cut unchanged.
  let equals = -1;
  let percent = -1;
  let blank = -1;
  let isPlain = true;
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text[start] === '&' ? start : nextOf('&', text, start);
    if (start === end) continue;
    if (names.length === MAX_FIELDS) return null;
    if (equals < start) equals = nextOf('=', text, start);
    if (percent < start) percent = nextOf('%', text, start);
    if (blank < start) blank = nextOf('+', text, start);
    const nameEnd = Math.min(equals, end);
    const encoded = Math.min(percent, blank);
    const name =
      encoded < nameEnd ? decodePercent(body, start, nameEnd) : text.slice(start, nameEnd);
    const value =
      encoded < end ? decodePercent(body, nameEnd + 1, end) : text.slice(nameEnd + 1, end);
    if (name === null || value === null) return null;
    if (encoded < end && value.includes('&')) isPlain = false;
    names.push(name);
    values.push(value);
  }
  return { names, values, isPlain };
}

/** The text's length when the character does not occur. */
function nextOf(character: string, text: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}

/**
 * A shared buffer to decode values one after the other: a Buffer per notice makes reading half as
 * long again.
 */
const SCRATCH = Buffer.allocUnsafeSlow(4 * 1024);

const PLUS = 0x2b;
const PERCENT = 0x25;

/**
 * @returns null for `%` without two hex digits
 */
function decodePercent(body: Buffer, start: number, end: number): string | null {
  const scratch = end - start > SCRATCH.length ? Buffer.allocUnsafe(end - start) : SCRATCH;
  let length = 0;
  for (let index = start; index < end; index += 1) {
    let byte = body[index] ?? 0;
    if (byte === PLUS) byte = 0x20;
    else if (byte === PERCENT) {
      if (index + 2 >= end) return null;
      byte = 16 * hexDigit(body[index + 1]) + hexDigit(body[index + 2]);
      if (byte < 0) return null;
      index += 2;
    }
    scratch[length++] = byte;
  }
  return scratch.toString('latin1', 0, length);
}

/** Negative for other characters, low enough that no second digit can compensate. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -256;
}
