import { type Layout, Layouts } from './layout.js';

/** The gateway's own limit; notices seen have 1 to 2 KiB. */
const MAX_BODY_BYTES = 256 * 1024;
/** A trade notice has about 30 fields, and Alipay adds new ones. */
const MAX_FIELDS = 256;

/**
 * Names to values; both are latin1, one character a byte: bytes are what is signed, and they may be GBK.
 * Texts and not Buffers, since thirty small Buffers cost as much as verifying a signature.
 */
export class Form {
  constructor(
    readonly layout: Layout,
    /** In order of arrival, as `layout.names`. */
    readonly values: readonly string[],
    /** No value holds a `&`: cut at each `&`, what is signed gives these fields again. */
    readonly isPlain: boolean,
  ) {}

  get(name: string): string | undefined {
    const place = this.layout.places.get(name);
    return place === undefined ? undefined : this.values[place];
  }

  /** An empty value is signed like any other, but says nothing: its field counts as absent. */
  isFilled(name: string): boolean {
    return (this.get(name) ?? '') !== '';
  }
}

/**
 * Reads an `application/x-www-form-urlencoded` body, percent-decoding to bytes exactly once: values are
 * signed as bytes, may be GBK, and may still hold an escape afterwards (`passback_params`).
 * The content type plays no part, because Alipay's is at times not standard.
 * @returns null for an empty or oversized body, a broken escape, or a field that came twice: which
 * of the two values the signature is about would be ours to guess
 */
export function parseForm(body: Buffer, layouts = new Layouts()): Form | null {
  if (body.length === 0 || body.length > MAX_BODY_BYTES) return null;
  const fields = read(body);
  const layout = fields && layouts.of(fields.names);
  return layout && new Form(layout, fields.values, fields.isPlain);
}

/** Pieces between `&`, cut at their first `=`; empty pieces say nothing and are passed over. */
function read(body: Buffer): {
  readonly names: string[];
  readonly values: string[];
  readonly isPlain: boolean;
} | null {
  const text = body.toString('latin1');
  const names: string[] = [];
  const values: string[] = [];
  // Where each stands next. Looked for natively and once: most fields have no escape, and are cut as they are.
  let equals = -1;
  let percent = -1;
  let blank = -1;
  let isPlain = true;
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = nextOf('&', text, start);
    if (start === end) continue;
    if (names.length === MAX_FIELDS) return null;
    if (equals < start) equals = nextOf('=', text, start);
    if (percent < start) percent = nextOf('%', text, start);
    if (blank < start) blank = nextOf('+', text, start);
    const nameEnd = Math.min(equals, end);
    const encoded = Math.min(percent, blank);
    const name = encoded < nameEnd ? decode(body, start, nameEnd) : text.slice(start, nameEnd);
    const value = encoded < end ? decode(body, nameEnd + 1, end) : text.slice(nameEnd + 1, end);
    if (name === null || value === null) return null;
    if (encoded < end && value.includes('&')) isPlain = false;
    names.push(name);
    values.push(value);
  }
  return { names, values, isPlain };
}

/** The text's end when it does not stand there. */
function nextOf(character: string, text: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}

/** Values are decoded in here, one after the other: with a Buffer for each notice, reading takes half as long again. */
const ROOM = Buffer.allocUnsafeSlow(4 * 1024);

const PLUS = 0x2b;
const PERCENT = 0x25;

/**
 * @returns null for `%` without two hex digits
 */
function decode(body: Buffer, start: number, end: number): string | null {
  const room = end - start > ROOM.length ? Buffer.allocUnsafe(end - start) : ROOM;
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
    room[length++] = byte;
  }
  return room.toString('latin1', 0, length);
}

/** Negative for what is none, far enough that no second digit makes up for it. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -256;
}
