import type { TradeEffect } from '@payonce/orders/notifications/trades/trade-outcome';
import { ORDER_STATUSES } from '@payonce/orders/orders/order';
import { z } from 'zod';
import { money, OUTCOMES } from '../schemas/fields.js';

const standingView = z.object({
  status: z.enum(ORDER_STATUSES),
  paidAmount: money,
  refundedAmount: money,
  attention: z.array(z.string()),
  version: z.number().int(),
});

/** All effects of releasing a trade, or of revoking that. */
export const tradeEffectView = z.object({
  /** False: it was so already. */
  changed: z.boolean(),
  before: standingView,
  after: standingView,
  /**
   * The order of this merchant that has the trade afterwards; null: the next order that claims it
   * gets it.
   */
  tradeOwner: z.string().nullable(),
  /** The order events for your system, in sequence. */
  orderEvents: z.array(
    z.object({ orderNumber: z.string(), type: z.string(), milestone: z.string() }),
  ),
  /** Events that were held for the trade, with their new outcomes. */
  heldEvents: z.array(
    z.object({
      notification: z.string(),
      position: z.number().int(),
      orderNumber: z.string().nullable(),
      outcome: z.enum(OUTCOMES),
      holdReason: z.string().nullable(),
    }),
  ),
});

export function viewOfEffect(
  { before, after, owner, orderEvents, heldEvents }: TradeEffect,
  again: boolean,
): z.infer<typeof tradeEffectView> {
  return {
    changed: !again,
    before: viewOfStanding(before),
    after: viewOfStanding(after),
    tradeOwner: owner,
    orderEvents: orderEvents.map(({ number, ...event }) => ({ orderNumber: number, ...event })),
    heldEvents: heldEvents.map(({ notification, position, number, outcome }) => ({
      notification: notification.toString(),
      position,
      orderNumber: number,
      outcome: outcome.outcome,
      holdReason: outcome.outcome === 'held' ? outcome.reason : null,
    })),
  };
}

function viewOfStanding({ paidAmount, refundedAmount, attention, ...rest }: TradeEffect['before']) {
  return {
    ...rest,
    paidAmount: paidAmount.toString(),
    refundedAmount: refundedAmount.toString(),
    attention: [...attention],
  };
}
