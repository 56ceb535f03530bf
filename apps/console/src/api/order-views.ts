import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import { auditView, viewOfAudit } from '../schemas/audit.js';
import { type FactRow, factView, viewOfFact } from '../schemas/fact.js';
import { money, time } from '../schemas/fields.js';
import { eventView, viewOfEvent } from './notification-views.js';

export const orderView = z.object({
  merchant: z.string(),
  orderNumber: z.string(),
  /** The amount due. */
  amount: money,
  currency: z.string(),
  status: z.string(),
  paidAmount: money,
  refundedAmount: money,
  paidAt: time.nullable(),
  /** The trade whose refunds move the order's status. */
  primaryTrade: z.object({ rail: z.string(), trade: z.string() }).nullable(),
  /** What a person should look at, e.g. `second_payment`. */
  attention: z.array(z.string()),
  version: z.number().int(),
  createdAt: time,
  updatedAt: time,
});

export const orderDetailView = orderView.extend({
  facts: z.array(factView),
  trades: z.array(z.object({ rail: z.string(), trade: z.string(), createdAt: time })),
  /** The events of notifications for this order, including held and ignored ones. */
  events: z.array(eventView),
  orderEvents: z.array(
    z.object({
      type: z.string(),
      milestone: z.string(),
      version: z.number().int().nullable(),
      createdAt: time,
    }),
  ),
  /** The operators' actions on its events. */
  audit: z.array(auditView),
  /** The lists above that are longer than shown. */
  truncated: z.array(z.enum(['facts', 'trades', 'events', 'orderEvents', 'audit'])),
});

type OrderRow = Prisma.OrderGetPayload<object>;
type TradeRow = Omit<Prisma.TradeGetPayload<object>, 'orderId'>;
type OrderEventRow = Prisma.OrderEventGetPayload<{ omit: { payload: true } }>;
type EventRow = Prisma.NotificationEventGetPayload<object>;

export function viewOfOrder(
  row: Omit<OrderRow, 'attention'> & { readonly attention: readonly string[] },
): z.infer<typeof orderView> {
  const { primaryRail: rail, primaryTrade: trade } = row;
  return {
    merchant: row.merchant,
    orderNumber: row.number,
    amount: row.amount.toString(),
    currency: row.currency,
    status: row.status,
    paidAmount: row.paidAmount.toString(),
    refundedAmount: row.refundedAmount.toString(),
    paidAt: row.paidAt?.toISOString() ?? null,
    primaryTrade: rail !== null && trade !== null ? { rail, trade } : null,
    attention: [...row.attention],
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export interface OrderHistory {
  readonly order: OrderRow;
  readonly facts: readonly FactRow[];
  readonly trades: readonly TradeRow[];
  readonly events: readonly EventRow[];
  readonly orderEvents: readonly OrderEventRow[];
  readonly audit: readonly Parameters<typeof viewOfAudit>[0][];
}

/** @param limit of each list; the history was fetched with one more row */
export function viewOfHistory(
  history: OrderHistory,
  limit: number,
): z.infer<typeof orderDetailView> {
  const lists = ['facts', 'trades', 'events', 'orderEvents', 'audit'] as const;
  return {
    ...viewOfOrder(history.order),
    facts: history.facts.slice(0, limit).map(viewOfFact),
    trades: history.trades.slice(0, limit).map(({ rail, trade, createdAt }) => ({
      rail,
      trade,
      createdAt: createdAt.toISOString(),
    })),
    events: history.events.slice(0, limit).map(viewOfEvent),
    orderEvents: history.orderEvents.slice(0, limit).map((event) => ({
      type: event.type,
      milestone: event.milestone,
      version: event.version,
      createdAt: event.createdAt.toISOString(),
    })),
    audit: history.audit.slice(0, limit).map(viewOfAudit),
    truncated: lists.filter((list) => history[list].length > limit),
  };
}
