import { maskFields } from './fields.js';

/** The parts of a message's raw bytes that a person may see. */
export interface MaskedBody {
  readonly bytes: number;
  /** Every field by name; the value is hidden unless it is an ID, an amount, a status or a time. */
  readonly fields: Record<string, string>;
}

/**
 * Summarises the body of a verified notification by its provider's format. Never throws: an
 * unreadable body shows as a size without fields. It is only for display and decides nothing, so a
 * plain reader is enough where the adapters need a strict one.
 */
export function maskBody(provider: string, body: Buffer): MaskedBody {
  return { bytes: body.length, fields: maskFields(fieldsOf(provider, body.toString('utf8'))) };
}

function fieldsOf(provider: string, text: string): Iterable<readonly [string, string]> {
  switch (provider) {
    case 'alipay':
      return new URLSearchParams(text);
    case 'wechatpay-v2':
      return xmlFields(text);
    case 'wechatpay':
      return jsonFields(text);
    default:
      return [];
  }
}

/** `<name>value</name>` with or without CDATA, one level deep, as in all messages of v2. */
function* xmlFields(text: string): Iterable<readonly [string, string]> {
  const element = /<([a-z]\w{0,63})>(?:<!\[CDATA\[)?([^<>]*?)(?:\]\]>)?<\/\1>/gi;
  for (const match of text.matchAll(element)) yield [match[1] ?? '', match[2] ?? ''];
}

/** Joins names of nested objects with a dot; v3's envelope is two levels deep. */
function* jsonFields(text: string): Iterable<readonly [string, string]> {
  const message = parseObject(text);
  for (const [name, value] of Object.entries(message)) {
    if (typeof value !== 'object' || value === null) yield [name, String(value)];
    else
      for (const [inner, text] of Object.entries(value)) yield [`${name}.${inner}`, String(text)];
  }
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
