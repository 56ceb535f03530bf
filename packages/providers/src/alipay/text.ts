import iconv from 'iconv-lite';
import { beijingTime } from '../beijing-time.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes a value of the signed text. The signed `charset` determines the encoding, not the
 * unsigned content type. Page pay and QR pay notices came as GBK although the merchant had
 * requested UTF-8. Names end at `=` and values at `&` in every charset that Alipay offers. No
 * second byte of GBK or GB18030 is one of the two.
 * @param charset undefined if the text does not state it in one place: then only ASCII is read
 * @returns null when the value is absent, empty, or not text in that charset
 */
export function decodeText(value: string | undefined, charset: string | undefined): string | null {
  if (value === undefined || value === '') return null;
  // All charsets that Alipay offers encode ASCII alike.
  if (!/[\x80-\xff]/.test(value)) return value;
  return charset === undefined
    ? null
    : decodeCharset(Buffer.from(value, 'latin1'), charset.toLowerCase());
}

function decodeCharset(bytes: Buffer, charset: string): string | null {
  switch (charset) {
    case '':
    case 'utf-8':
    case 'utf8':
      return decodeUtf8(bytes);
    case 'gbk':
    case 'gb2312':
    case 'gb18030': {
      // GB18030 includes the other two. iconv-lite reports no errors: it writes U+FFFD for
      // unreadable bytes.
      const text = iconv.decode(bytes, 'gb18030', { stripBOM: false });
      return text.includes('\uFFFD') ? null : text;
    }
    default:
      return null;
  }
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** A number or code of Alipay (64 is its longest documented length); null for an impossible one. */
export function codeOf(value: string | undefined, charset: string | undefined): string | null {
  const text = decodeText(value, charset);
  return text !== null && text.length <= 64 && !/\p{C}/u.test(text) ? text : null;
}

const ALIPAY_TIME =
  /^([1-9]\d{3})-(0[1-9]|1[0-2])-(\d\d) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{3}))?$/;
/** `2026-11-23 16:32:00` or with `.123`, in Beijing time; null for anything else. */
export function alipayTimeOf(value: string | undefined): Date | null {
  return beijingTime(value, ALIPAY_TIME);
}

/**
 * Notices have 1 to 2 KiB. The next text overwrites it: a Buffer for each costs as much as filling
 * it.
 */
const SCRATCH = Buffer.allocUnsafeSlow(8 * 1024);

/** The bytes of a latin1 text, valid until the next call. */
export function bytesOf(text: string): Buffer {
  if (text.length > SCRATCH.length) return Buffer.from(text, 'latin1');
  return SCRATCH.subarray(0, SCRATCH.write(text, 'latin1'));
}
