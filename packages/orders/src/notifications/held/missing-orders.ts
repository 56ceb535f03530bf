import type { PrismaClient } from '@payonce/prisma/client';

/** An order that providers report, and nobody has registered. */
export interface MissingOrder {
  readonly merchant: string;
  readonly number: string;
}

/** Of the held events; an index finds them. The order of the list is that of the numbers. */
export function findMissingOrders(prisma: PrismaClient, limit: number): Promise<MissingOrder[]> {
  return prisma.$queryRaw<MissingOrder[]>`
    SELECT DISTINCT merchant, order_number AS number FROM notification_events
    WHERE outcome = 'held' AND hold_reason = 'unknown_order' AND order_number IS NOT NULL
    ORDER BY merchant, order_number LIMIT ${limit}`;
}
