import { z } from 'zod';

/** The messages that the simulator can send. Amounts are fen: digits as text, or a whole number. */

const fen = z
  .union([z.string().regex(/^\d{1,15}$/, 'must be fen: digits'), z.int().nonnegative()])
  .transform((value) => BigInt(value));
/** Longer than any provider allows, so that too long ones can be tried. */
const id = z.string().min(1).max(256);
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const now = () => new Date();

const trade = { orderNumber: id, trade: id, amount: fen, notificationId: id.exactOptional() };
const paid = { ...trade, paidAt: time.default(now), text: z.string().max(512).exactOptional() };

const message = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('payment'), ...paid }),
  z.strictObject({ kind: z.literal('failed'), ...paid }),
  z.strictObject({ kind: z.literal('finished'), ...paid }),
  z.strictObject({ kind: z.literal('waiting'), ...trade }),
  z.strictObject({ kind: z.literal('closed'), ...trade, closedAt: time.default(now) }),
  z.strictObject({
    kind: z.literal('refund'),
    ...trade,
    refundId: id,
    refundAmount: fen,
    refundedTotal: fen,
    refundedAt: time.default(now),
    full: z.boolean(),
    paidAt: time.exactOptional(),
    status: z.enum(['success', 'abnormal', 'closed']).default('success'),
  }),
  z.strictObject({
    kind: z.literal('combined'),
    combinedOrderNumber: id,
    paidAt: time.default(now),
    notificationId: id.exactOptional(),
    // WeChat's limit is 50 orders paid at once.
    orders: z
      .array(z.strictObject({ orderNumber: id, trade: id, amount: fen }))
      .min(1)
      .max(50),
  }),
  z.strictObject({
    kind: z.literal('event'),
    eventType: id,
    resource: z.record(z.string(), z.unknown()),
    notificationId: id.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('platform_message'),
    method: id,
    content: z.unknown(),
    notificationId: id.exactOptional(),
  }),
]);
export type Message = z.output<typeof message>;

/** One message, and how it is sent. */
export const sendInput = z.strictObject({
  channel: z.enum(['sim-alipay', 'sim-wechat', 'sim-wechat-v2']),
  message,
  /** Sent at the same moment. 500 is ten times the need of "fifty at once". */
  copies: z.int().min(1).max(500).default(1),
  /** True: every copy has the same bytes. False: each gets a new signature, as re-sends do. */
  identical: z.boolean().default(false),
  forge: z.enum(['foreign_key', 'changed_content', 'signature_probe']).exactOptional(),
  /** Sends again by the provider's schedule until it is accepted. */
  retry: z.boolean().default(false),
  /** With `retry`: responds when no retry is left, not after the first sending. */
  wait: z.boolean().default(false),
  /** The signing key, one of the two keys of `sim-wechat`. */
  signWith: z.enum(['certificate', 'public_key']).default('certificate'),
});
export type SendInput = z.output<typeof sendInput>;

export const sequenceInput = z.strictObject({
  steps: z.array(sendInput).min(1).max(200),
  /** `at_once` posts every step without waiting for the others. */
  deliver: z.enum(['in_order', 'reversed', 'shuffled', 'at_once']).default('in_order'),
});
export type SequenceInput = z.output<typeof sequenceInput>;
