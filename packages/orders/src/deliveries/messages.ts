/**
 * The messages to merchants' systems, word for word. The only source: every payload passes these
 * schemas before it is sent, and docs/webhooks/*.schema.json is generated from them.
 */
import { z } from 'zod';
import { HOLD_REASONS, type HoldReason } from '../database/hold-reason.js';
import { EVENT_TYPES, type EventType } from '../endpoints/event-types.js';
import { ATTENTION_FLAGS, ORDER_STATUSES } from '../orders/order.js';

const money = z.string().regex(/^\d+$/).describe('Minor units (fen), as text; never a float.');
const time = z.iso.datetime();
const rail = z.enum(['alipay', 'wechat']);

const order = z.object({
  merchant: z.string(),
  orderNumber: z.string().describe("The provider's out_trade_no."),
  amount: money.describe('The amount due, in minor units (fen), as text.'),
  currency: z.string().describe('ISO 4217.'),
  status: z.enum(ORDER_STATUSES),
  paidAmount: money.describe('Paid by the primary trade.'),
  refundedAmount: money.describe('Total refunds of the primary trade.'),
  paidAt: time.nullable().describe("The provider's time; null if the provider gave none."),
  attention: z.array(z.enum(ATTENTION_FLAGS)).describe('What a person should look at.'),
  trade: z
    .object({ rail, trade: z.string() })
    .nullable()
    .describe('The primary trade: the one whose money counts.'),
  version: z
    .int()
    .positive()
    .describe(
      'Grows with each change of the order, not always by one. Events of one version show the same state of the order. Never overwrite a greater version with a smaller one; handle each `webhook-id` once.',
    ),
  replayed: z
    .literal(true)
    .optional()
    .describe(
      'payonce may have sent this event before, with a smaller version: its database was restored to an earlier time.',
    ),
});

const waiting = z.object({
  merchant: z.string(),
  notification: z.string().describe('Its ID in the API.'),
  notificationId: z.string().describe("The provider's own ID."),
  provider: z.enum(['alipay', 'wechatpay', 'wechatpay-v2']),
  channel: z.string(),
  position: z
    .int()
    .min(0)
    .describe(
      'The index of the event in its notification; a notification of combined orders has several.',
    ),
  orderNumber: z.string().nullable(),
  amount: money.nullable().describe('The amount of the order, according to the provider.'),
  currency: z.string().nullable(),
  trade: z.string().nullable(),
  says: z
    .string()
    .nullable()
    .describe("The provider's own type, if payonce does not understand it."),
});

const HELD_REASONS = HOLD_REASONS.filter(
  (reason): reason is Exclude<HoldReason, 'unsupported_event'> => reason !== 'unsupported_event',
);

function message<Type extends EventType, Data extends z.ZodType>(
  type: Type,
  description: string,
  data: Data,
) {
  const timestamp = time.describe('When payonce recorded it; the same on every retry.');
  return z.object({ type: z.literal(type), timestamp, data }).meta({ title: type, description });
}

const refunded = order.extend({
  milestone: money.describe('The refunded total that was reached.'),
});

const messages = {
  'order.paid': message(
    'order.paid',
    'An order was paid. Also sent if its refund arrived first.',
    order.extend({ milestone: z.literal('paid') }),
  ),
  'order.partially_refunded': message(
    'order.partially_refunded',
    'A part of the payment was refunded; once for each total.',
    refunded,
  ),
  'order.refunded': message('order.refunded', 'The whole payment was refunded.', refunded),
  'order.closed': message(
    'order.closed',
    'An unpaid order was closed, by you or by the provider. A payment that comes later still wins.',
    order.extend({ milestone: z.literal('closed') }),
  ),
  'order.attention': message(
    'order.attention',
    'Something in an order that a person should look at. The status of the order is correct.',
    order.extend({ milestone: z.enum(ATTENTION_FLAGS) }),
  ),
  'order.payment_withdrawn': message(
    'order.payment_withdrawn',
    'An operator found that a trade does not pay this order, so it no longer counts. `data` is the order without it.',
    order.extend({
      milestone: z.literal('withdrawn'),
      withdrawn: z.object({ rail, trade: z.string() }).describe('The trade that was released.'),
    }),
  ),
  'notification.held': message(
    'notification.held',
    'A genuine notification was not applied and is held; sent once per reason.',
    waiting.extend({ reason: z.enum(HELD_REASONS) }),
  ),
  'notification.unsupported': message(
    'notification.unsupported',
    'A genuine notification has a kind that payonce does not understand.',
    waiting.extend({ reason: z.literal('unsupported_event') }),
  ),
} satisfies { readonly [Type in EventType]: z.ZodType };

/** One message, as a merchant's system or a handler receives it. */
export type Message = { [Type in EventType]: z.output<(typeof messages)[Type]> }[EventType];

/**
 * For docs/webhooks. As input, so that a field that is added later does not break a merchant's
 * system.
 */
export function schemaOf(type: EventType) {
  return z.toJSONSchema(messages[type], {
    io: 'input',
    // `format` is enough; zod's expression for it would fill the page.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
}

/** The body of the request: the same bytes on every retry. Null for an unreadable payload. */
export function readMessage({
  type,
  createdAt,
  payload,
}: {
  readonly type: string;
  readonly createdAt: Date;
  readonly payload: unknown;
}): Message | null {
  const known = EVENT_TYPES.find((one) => one === type);
  if (known === undefined) return null;
  const read = messages[known].safeParse({
    type,
    timestamp: createdAt.toISOString(),
    data: payload,
  });
  return read.success ? read.data : null;
}

/** `webhook-id`: one per order event, for every endpoint and every retry. */
export function messageId({
  id,
  createdAt,
}: {
  readonly id: bigint;
  readonly createdAt: Date;
}): string {
  // With the time: a merchant's system remembers IDs, and the database may be a new one.
  return `evt_${id}_${createdAt.getTime().toString(36)}`;
}
