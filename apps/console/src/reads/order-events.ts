import type { Role } from '@payonce/orders/access/api-keys';
import type { Merchants } from '@payonce/orders/access/merchants';
import type { EventType } from '@payonce/orders/endpoints/event-types';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { between, pageOf } from '../schemas/fields.js';
import { deliveryInclude, maskAttempt } from './deliveries.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** Empty fields do not filter. */
export interface OrderEventQuery {
  readonly cursor?: bigint | undefined;
  readonly merchant?: string | undefined;
  readonly type?: EventType | undefined;
  /** Of `order.*` events. */
  readonly orderNumber?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const orderEventInclude = {
  order: { select: { number: true } },
  notificationEvent: { select: { notificationRowId: true, orderNumber: true } },
} as const satisfies Prisma.OrderEventInclude;

export type OrderEventRow = Prisma.OrderEventGetPayload<{
  omit: { payload: true };
  include: typeof orderEventInclude;
}>;

/** One per endpoint of a merchant, who has a few. */
const MAX_DELIVERIES = 50;
/** A round is some ten attempts; an operator may begin several. The latest are shown. */
const MAX_ATTEMPTS = 50;

const newestFirst = { orderBy: { id: 'desc' } } as const;

/** Order events of these merchants, the newest first. */
export async function readOrderEvents(
  prisma: PrismaClient,
  merchants: Merchants,
  query: OrderEventQuery,
  limit: number,
) {
  const createdAt = between(query.from, query.to);
  const where = {
    ...(query.cursor && { id: { lt: query.cursor } }),
    ...(query.merchant && { merchant: query.merchant }),
    ...(query.type && { type: query.type }),
    ...(query.orderNumber && { order: { number: query.orderNumber } }),
    ...(createdAt && { createdAt }),
  };
  // Finds the rows first, within limits; then reads their relations, which several connections may
  // do.
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.orderEvent.findMany({
      where: { AND: [whereMerchant(merchants), where] },
      select: { id: true },
      take: limit + 1,
      ...newestFirst,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const events = await prisma.orderEvent.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    omit: { payload: true },
    include: orderEventInclude,
    ...newestFirst,
  });
  return { rows: events, nextCursor };
}

/**
 * An order event with its deliveries and their latest attempts, masked for this role; null when
 * there is none.
 */
export async function readOrderEvent(prisma: PrismaClient, id: bigint, role: Role) {
  const event = await prisma.orderEvent.findUnique({ where: { id }, include: orderEventInclude });
  if (event === null) return null;
  const rows = await prisma.delivery.findMany({
    where: { orderEventId: id },
    include: { ...deliveryInclude, history: { take: MAX_ATTEMPTS, ...newestFirst } },
    orderBy: { id: 'asc' },
    take: MAX_DELIVERIES,
  });
  const deliveries = rows.map((row) => ({
    row,
    history: row.history.toReversed().map((attempt) => maskAttempt(attempt, role)),
  }));
  return { event, deliveries };
}
