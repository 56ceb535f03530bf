import type { Merchants } from '@payonce/orders/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { whereMerchant } from './where-merchant.js';

/** More than any merchant has; there is no second page. */
const MOST = 500;

/** Never the secrets. */
const seen = { omit: { secret: true, previousSecret: true } } as const;
export type EndpointRow = Prisma.WebhookEndpointGetPayload<typeof seen>;

/** All endpoints of these merchants that are not deleted, by merchant and name. */
export function readEndpointList(
  prisma: PrismaClient,
  merchants: Merchants,
): Promise<EndpointRow[]> {
  return prisma.webhookEndpoint.findMany({
    where: { deletedAt: null, ...whereMerchant(merchants) },
    ...seen,
    orderBy: [{ merchant: 'asc' }, { name: 'asc' }],
    take: MOST,
  });
}

export function findEndpoint(prisma: PrismaClient, id: bigint): Promise<EndpointRow | null> {
  return prisma.webhookEndpoint.findFirst({ where: { id, deletedAt: null }, ...seen });
}
