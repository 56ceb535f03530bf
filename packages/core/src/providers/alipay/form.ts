/**
 * Names to values, in order of arrival; both are latin1, one character a byte: bytes are what is signed, and they may
 * be GBK. Texts and not Buffers, since thirty small Buffers cost as much as verifying a signature.
 */
export type Form = ReadonlyMap<string, string>;

/** The gateway's own limit; notices seen have 1 to 2 KiB. */
const MAX_BODY_BYTES = 256 * 1024;
/** A trade notice has about 30 fields, and Alipay adds new ones. */
const MAX_FIELDS = 256;
const MAX_NAME_BYTES = 128;

/**
 * Reads an `application/x-www-form-urlencoded` body, percent-decoding to bytes exactly once: values are
 * signed as bytes, may be GBK, and may still hold an escape afterwards (`passback_params`).
 * The content type plays no part, because Alipay's is at times not standard.
 * @returns null for an empty or oversized body, a broken escape, or a field that came twice: which
 * of the two values the signature is about would be ours to guess
 */
export function parseForm(body: Buffer): Form | null {
  if (body.length === 0 || body.length > MAX_BODY_BYTES) return null;
  const decoded = decode(body);
  if (decoded === null) return null;
  const { text, fields } = decoded;
  const form = new Map<string, string>();
  let start = 0;
  for (const { nameEnd, end } of fields) {
    const name = text.slice(start, nameEnd);
    if (!isName(name) || form.has(name) || form.size === MAX_FIELDS) return null;
    form.set(name, text.slice(nameEnd, end));
    start = end;
  }
  return form.size === 0 ? null : form;
}

/** Where a field ends in the decoded text, and its name in it; it starts where the one before it ends. */
interface Field {
  readonly nameEnd: number;
  readonly end: number;
}

const AMPERSAND = 0x26;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const PERCENT = 0x25;

/**
 * Percent-decodes all in one pass, without what stands between the fields; empty pieces say nothing and are passed
 * over. One text that is cut afterwards: thirty small ones would take as long as the signature.
 * @returns null for `%` without two hex digits
 */
function decode(body: Buffer): { readonly text: string; readonly fields: Field[] } | null {
  const bytes = Buffer.allocUnsafe(body.length);
  const fields: Field[] = [];
  let length = 0;
  let start = 0;
  let nameEnd = -1;
  for (let index = 0; index <= body.length; index += 1) {
    let byte = index < body.length ? body[index] : AMPERSAND;
    if (byte === AMPERSAND) {
      if (nameEnd !== -1) fields.push({ nameEnd, end: length });
      else if (length > start) fields.push({ nameEnd: length, end: length });
      start = length;
      nameEnd = -1;
      continue;
    }
    if (byte === EQUALS && nameEnd === -1) {
      nameEnd = length;
      continue;
    }
    if (byte === PLUS) byte = 0x20;
    else if (byte === PERCENT) {
      byte = 16 * hexDigit(body[index + 1]) + hexDigit(body[index + 2]);
      if (Number.isNaN(byte)) return null;
      index += 2;
    }
    bytes[length++] = byte ?? 0;
  }
  return { text: bytes.toString('latin1', 0, length), fields };
}

/** NaN for what is none. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

/** A `&` or `=` inside a name would let two different forms have one signed text. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_BYTES && !/[&=]/.test(name);
}

/** An empty value is signed like any other, but says nothing: its field counts as absent. */
export function isFilled(form: Form, name: string): boolean {
  return (form.get(name) ?? '') !== '';
}
