import type { Merchants } from '@payonce/core/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { deliveryInclude, orderEventInclude } from '../api/delivery-views.js';
import { whereMerchant } from './where-merchant.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** One per endpoint of a merchant, who has a few. */
const MAX_DELIVERIES = 50;
/** A round is some ten attempts; an operator may begin several. The latest are shown. */
const MAX_ATTEMPTS = 50;

const newestFirst = { orderBy: { id: 'desc' } } as const;
const idOnly = { select: { id: true }, ...newestFirst } as const;

/**
 * Finds the rows first, within limits; then reads their relations, which several connections may
 * do.
 */
export async function readOrderEvents(
  prisma: PrismaClient,
  merchants: Merchants,
  where: Prisma.OrderEventWhereInput,
  take: number,
) {
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.orderEvent.findMany({ where: { AND: [whereMerchant(merchants), where] }, take, ...idOnly }),
  );
  return prisma.orderEvent.findMany({
    where: { id: { in: found.map(({ id }) => id) } },
    omit: { payload: true },
    include: orderEventInclude,
    ...newestFirst,
  });
}

/** An order event with its deliveries and their latest attempts; null when there is none. */
export async function readOrderEvent(prisma: PrismaClient, id: bigint) {
  const event = await prisma.orderEvent.findUnique({ where: { id }, include: orderEventInclude });
  if (event === null) return null;
  const rows = await prisma.delivery.findMany({
    where: { orderEventId: id },
    include: { ...deliveryInclude, history: { orderBy: { id: 'desc' }, take: MAX_ATTEMPTS } },
    orderBy: { id: 'asc' },
    take: MAX_DELIVERIES,
  });
  return { event, deliveries: rows.map((row) => ({ row, history: row.history.toReversed() })) };
}
