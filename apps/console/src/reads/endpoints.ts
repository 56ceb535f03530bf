import { maskUrl } from '@payonce/core/config/env';
import type { Role } from '@payonce/orders/access/api-keys';
import type { Merchants } from '@payonce/orders/access/merchants';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../schemas/fields.js';
import { whereMerchant } from './where-merchant.js';

/** More than any merchant has; the page has no second one. */
const MAX_ENDPOINTS = 500;

const withoutSecrets = { omit: { secret: true, previousSecret: true } } as const;
/** The address is without its query, which may hold a secret, unless it is for an administrator. */
export type EndpointRow = Prisma.WebhookEndpointGetPayload<typeof withoutSecrets>;

export interface EndpointQuery {
  readonly cursor?: bigint | undefined;
  readonly merchant?: string | undefined;
}

/** Endpoints of these merchants that are not deleted, the newest first. */
export async function readEndpoints(
  prisma: PrismaClient,
  merchants: Merchants,
  { cursor, merchant }: EndpointQuery,
  limit: number,
  role: Role,
) {
  const found = await prisma.webhookEndpoint.findMany({
    where: {
      deletedAt: null,
      ...(cursor && { id: { lt: cursor } }),
      ...(merchant && { merchant }),
      ...whereMerchant(merchants),
    },
    ...withoutSecrets,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return pageOf(
    found.map((row) => masked(row, role)),
    limit,
  );
}

/** All of them, by merchant and name. */
export async function readEndpointsByName(
  prisma: PrismaClient,
  merchants: Merchants,
): Promise<EndpointRow[]> {
  const found = await prisma.webhookEndpoint.findMany({
    where: { deletedAt: null, ...whereMerchant(merchants) },
    ...withoutSecrets,
    orderBy: [{ merchant: 'asc' }, { name: 'asc' }],
    take: MAX_ENDPOINTS,
  });
  return found.map((row) => masked(row, 'read'));
}

/** Null when there is none, or when it is deleted. */
export async function findEndpoint(
  prisma: PrismaClient,
  id: bigint,
  role: Role,
): Promise<EndpointRow | null> {
  const where = { id, deletedAt: null };
  const row = await prisma.webhookEndpoint.findFirst({ where, ...withoutSecrets });
  return row && masked(row, role);
}

export async function readEndpoint(
  prisma: PrismaClient,
  id: bigint,
  role: Role,
): Promise<EndpointRow> {
  const row = await prisma.webhookEndpoint.findUniqueOrThrow({ where: { id }, ...withoutSecrets });
  return masked(row, role);
}

function masked(row: EndpointRow, role: Role): EndpointRow {
  return role === 'admin' ? row : { ...row, url: maskUrl(row.url) };
}
