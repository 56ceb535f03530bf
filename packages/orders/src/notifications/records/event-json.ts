import type { PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import { z } from 'zod';

/**
 * Decoded events as they are stored: bigint as text, times as ISO 8601. The worker releases held
 * events from this text, months later and without any key, so it must stay readable.
 */
export function eventToJson(event: PaymentEvent): string {
  // Date has its own toJSON, which writes ISO 8601.
  return JSON.stringify(event, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** Text of another version that this one cannot read becomes an unsupported event. */
export function eventFromJson(json: unknown): PaymentEvent {
  const read = storedEvent.safeParse(json);
  return read.success ? read.data : { kind: 'unsupported', orderNumber: null, says: 'unreadable' };
}

const money = z
  .string()
  .regex(/^\d+$/)
  .transform((text) => BigInt(text));
const time = z.iso
  .datetime()
  .transform((text) => new Date(text))
  .nullable();
const rail = z.enum(['alipay', 'wechat']);
const trade = z.string();

const storedFact: z.ZodType<Fact> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('paid'), rail, trade, amount: money, at: time }),
  z.object({
    kind: z.literal('refund'),
    rail: z.literal('wechat'),
    trade,
    refundId: z.string(),
    status: z.enum(['SUCCESS', 'CLOSED', 'ABNORMAL']),
    amount: money,
    at: time,
  }),
  z.object({
    kind: z.literal('refund_total'),
    rail: z.literal('alipay'),
    trade,
    amount: money,
    at: time,
  }),
  z.object({ kind: z.literal('finished'), rail, trade, at: time }),
  z.object({
    kind: z.literal('closed'),
    by: z.enum(['alipay', 'wechat', 'merchant']),
    trade: trade.nullable(),
    at: time,
  }),
  z.object({
    kind: z.literal('operator'),
    auditId: z.string(),
    rail,
    trade,
    amount: money,
    at: time,
  }),
]);

const storedEvent: z.ZodType<PaymentEvent> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('order'),
    rail,
    orderNumber: z.string(),
    trade: trade.nullable(),
    amount: money.nullable(),
    currency: z.string(),
    payeeMatches: z.boolean(),
    signed: z.boolean(),
    facts: z.array(storedFact),
  }),
  z.object({
    kind: z.literal('nothing'),
    orderNumber: z.string().nullable(),
    says: z.string(),
  }),
  z.object({
    kind: z.literal('unsupported'),
    orderNumber: z.string().nullable(),
    says: z.string(),
  }),
]);
