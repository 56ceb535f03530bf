import type { AuditAction } from '@payonce/orders/database/audit';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../schemas/fields.js';
import { withStatementTimeout } from './with-statement-timeout.js';

/** The event of an audit row. */
export const eventInclude = {
  notificationEvent: { select: { notificationRowId: true, position: true } },
} as const satisfies Prisma.AuditLogInclude;
export type AuditRow = Prisma.AuditLogGetPayload<{ include: typeof eventInclude }>;

/** Every object of an audit row. */
const auditInclude = {
  ...eventInclude,
  order: { select: { merchant: true, number: true } },
  endpoint: { select: { name: true } },
  apiKey: { select: { name: true } },
} as const satisfies Prisma.AuditLogInclude;
export type AuditLogRow = Prisma.AuditLogGetPayload<{ include: typeof auditInclude }>;

export interface AuditLogQuery {
  readonly limit: number;
  readonly cursor?: bigint | undefined;
  readonly actor?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly order?: { readonly merchant: string; readonly number: string } | undefined;
  /** From this time on. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
}

/** The actions of people and programs, the latest first. */
export async function readAuditLog(prisma: PrismaClient, query: AuditLogQuery) {
  const { limit, cursor, actor, action, order, from, to } = query;
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.auditLog.findMany({
      where: {
        ...(cursor && { id: { lt: cursor } }),
        ...(actor && { actor }),
        ...(action && { action }),
        ...(order && { order }),
        createdAt: { ...(from && { gte: from }), ...(to && { lt: to }) },
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  const { rows, nextCursor } = pageOf(found, limit);
  const audit = await prisma.auditLog.findMany({
    where: { id: { in: rows.map(({ id }) => id) } },
    include: auditInclude,
    orderBy: { id: 'desc' },
  });
  return { rows: audit, nextCursor };
}
