import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../api/fields.js';

export interface AuditQuery {
  readonly actor: string;
  readonly cursor: bigint | undefined;
}

const about = {
  order: { select: { merchant: true, number: true } },
  notificationEvent: { select: { notificationRowId: true } },
  endpoint: { select: { name: true } },
  apiKey: { select: { name: true } },
} as const;
export type AuditListRow = Prisma.AuditLogGetPayload<{ include: typeof about }>;

/** What people and programs did, the latest first. */
export async function readAudit(
  prisma: PrismaClient,
  { actor, cursor }: AuditQuery,
  limit: number,
) {
  const found = await prisma.auditLog.findMany({
    where: { ...(cursor && { id: { lt: cursor } }), ...(actor && { actor }) },
    include: about,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return pageOf(found, limit);
}
