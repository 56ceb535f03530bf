import type { ArrivedEvent } from '../history/history.js';

/** The judged part of a body. Null when it is not an order event. */
export function readEvent(body: Buffer): ArrivedEvent | null {
  const text = body.toString('utf8');
  const message = parsed(text);
  const data = message?.data;
  if (typeof message?.type !== 'string' || typeof data !== 'object' || data === null) return null;
  const field = (name: string): unknown => (data as Record<string, unknown>)[name];
  return {
    type: message.type,
    merchant: asText(field('merchant')),
    orderNumber: asText(field('orderNumber')),
    // For a held notification the reason of the hold.
    milestone: asText(field('milestone') ?? field('reason')),
    version: Number(field('version') ?? 0),
    paid: asAmount(field('paidAmount')),
    refunded: asAmount(field('refundedAmount')),
    replayed: field('replayed') === true,
    body: text,
  };
}

function parsed(text: string): { readonly type?: unknown; readonly data?: unknown } | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' ? message : null;
  } catch {
    return null;
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Minor units are text, never a number. */
function asAmount(value: unknown): bigint | null {
  return typeof value === 'string' && /^\d{1,18}$/.test(value) ? BigInt(value) : null;
}
