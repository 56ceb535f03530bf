import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import { money, time } from './fields.js';

export const factView = z.object({
  key: z.string(),
  kind: z.string(),
  rail: z.string().nullable(),
  trade: z.string().nullable(),
  refundId: z.string().nullable(),
  refundStatus: z.string().nullable(),
  amount: money.nullable(),
  at: time.nullable(),
  /** The first notification that stated it; null for facts of the merchant and of operators. */
  notification: z.string().nullable(),
  createdAt: time,
});

export type FactRow = Prisma.FactGetPayload<object>;

export function viewOfFact(row: FactRow): z.infer<typeof factView> {
  return {
    key: row.key,
    kind: row.kind,
    rail: row.rail,
    trade: row.trade,
    refundId: row.refundId,
    refundStatus: row.refundStatus,
    amount: row.amount?.toString() ?? null,
    at: row.at?.toISOString() ?? null,
    notification: row.notificationRowId?.toString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
