import type { AuditAction } from '@payonce/core/database/audit';
import type { PrismaClient } from '@payonce/prisma/client';
import { aboutAnything } from '../api/audit-views.js';
import { pageOf } from '../api/fields.js';

export interface AuditLogQuery {
  readonly limit: number;
  readonly cursor?: bigint | undefined;
  readonly actor?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly order?: { readonly merchant: string; readonly number: string } | undefined;
  /** From then on. */
  readonly from?: Date | undefined;
  /** Before then. */
  readonly to?: Date | undefined;
}

/** What people and programs did, the latest first. */
export async function readAuditLog(prisma: PrismaClient, query: AuditLogQuery) {
  const { limit, cursor, actor, action, order, from, to } = query;
  const found = await prisma.auditLog.findMany({
    where: {
      ...(cursor && { id: { lt: cursor } }),
      ...(actor && { actor }),
      ...(action && { action }),
      ...(order && { order }),
      createdAt: { ...(from && { gte: from }), ...(to && { lt: to }) },
    },
    include: aboutAnything,
    orderBy: { id: 'desc' },
    take: limit + 1,
  });
  return pageOf(found, limit);
}
