import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../schemas/fields.js';

const withoutHash = { omit: { keyHash: true } } as const;
export type ApiKeyRow = Prisma.ApiKeyGetPayload<typeof withoutHash>;

/** Bearer keys, the newest first. */
export async function readApiKeys(
  prisma: PrismaClient,
  { cursor, limit }: { readonly cursor?: bigint | undefined; readonly limit: number },
) {
  const found = await prisma.apiKey.findMany({
    where: { ...(cursor && { id: { lt: cursor } }) },
    ...withoutHash,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return pageOf(found, limit);
}

export function readApiKey(prisma: PrismaClient, id: bigint): Promise<ApiKeyRow> {
  return prisma.apiKey.findUniqueOrThrow({ where: { id }, ...withoutHash });
}
