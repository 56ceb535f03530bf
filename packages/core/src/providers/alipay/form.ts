/** Names (latin1, one character per byte) to the bytes of their values, in order of arrival. */
export type Form = ReadonlyMap<string, Buffer>;

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
  const form = new Map<string, Buffer>();
  for (const [start, end] of pieces(body)) {
    const equals = body.subarray(start, end).indexOf(0x3d);
    const nameEnd = equals === -1 ? end : start + equals;
    const name = percentDecode(body.subarray(start, nameEnd))?.toString('latin1');
    const value = equals === -1 ? Buffer.alloc(0) : percentDecode(body.subarray(nameEnd + 1, end));
    if (name === undefined || value === null || !isName(name) || form.has(name)) return null;
    form.set(name, value);
    if (form.size > MAX_FIELDS) return null;
  }
  return form.size === 0 ? null : form;
}

/** Start and end of what stands between `&`s; empty pieces say nothing and are passed over. */
function* pieces(body: Buffer): Generator<[start: number, end: number]> {
  let start = 0;
  while (start < body.length) {
    const ampersand = body.indexOf(0x26, start);
    const end = ampersand === -1 ? body.length : ampersand;
    if (end > start) yield [start, end];
    start = end + 1;
  }
}

/** A `&` or `=` inside a name would let two different forms have one signed text. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME_BYTES && !/[&=]/.test(name);
}

/** An empty value is signed like any other, but says nothing: its field counts as absent. */
export function isFilled(form: Form, name: string): boolean {
  return (form.get(name)?.length ?? 0) > 0;
}

/** @returns null for `%` without two hex digits */
function percentDecode(text: Buffer): Buffer | null {
  if (!text.includes(0x25) && !text.includes(0x2b)) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    let byte = text.readUInt8(index);
    if (byte === 0x2b) byte = 0x20;
    else if (byte === 0x25) {
      const digits = text.toString('latin1', index + 1, index + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null;
      byte = Number.parseInt(digits, 16);
      index += 2;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
