import type { Merchants } from '@payonce/orders/access/merchants';
import type { PrismaClient } from '@payonce/prisma/client';
import { whereMerchant } from './where-merchant.js';

/** Rows with one permanent merchant: it never changes. */
export type RowKind = 'order' | 'notification' | 'order_event' | 'delivery' | 'endpoint';

const onlyId = { select: { id: true } } as const;

/** Whether the row exists and belongs to one of these merchants. */
export async function isOwnRow(
  prisma: PrismaClient,
  kind: RowKind,
  id: bigint,
  merchants: Merchants,
): Promise<boolean> {
  const own = whereMerchant(merchants);
  const where = { id, ...own };
  switch (kind) {
    case 'order':
      return (await prisma.order.findFirst({ where, ...onlyId })) !== null;
    case 'notification':
      return (await prisma.notification.findFirst({ where, ...onlyId })) !== null;
    case 'order_event':
      return (await prisma.orderEvent.findFirst({ where, ...onlyId })) !== null;
    case 'delivery':
      return (
        (await prisma.delivery.findFirst({ where: { id, endpoint: own }, ...onlyId })) !== null
      );
    case 'endpoint':
      return (await prisma.webhookEndpoint.findFirst({ where, ...onlyId })) !== null;
  }
}
