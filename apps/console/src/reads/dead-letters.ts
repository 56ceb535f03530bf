import type { DeadLetterReason } from '@payonce/orders/notifications/records/dead-letter';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { maskJobData } from '../masking/job.js';
import { maskText } from '../masking/text.js';
import { pageOf } from '../schemas/fields.js';
import { withStatementTimeout } from './with-statement-timeout.js';

export const LETTER_STATES = ['open', 'redriven', 'dismissed'] as const;
export type LetterState = (typeof LETTER_STATES)[number];
type StoredLetter = Prisma.DeadLetterGetPayload<object>;

/** Masked: a job that is no notification shows only that it exists. */
export interface LetterRow extends Omit<StoredLetter, 'job'> {
  readonly job: unknown;
}

export interface LetterQuery {
  readonly state: LetterState | '';
  readonly reason: DeadLetterReason | '';
  readonly cursor: bigint | undefined;
}

/** `open` letters wait for a person. */
const WHERE_STATE: Readonly<Record<LetterState, Prisma.DeadLetterWhereInput>> = {
  open: { redrivenAt: null, dismissedAt: null },
  redriven: { redrivenAt: { not: null } },
  dismissed: { dismissedAt: { not: null } },
};

/** Dead letters, the newest first. */
export async function readDeadLetters(prisma: PrismaClient, query: LetterQuery, limit: number) {
  const found = await withStatementTimeout(prisma, (tx) =>
    tx.deadLetter.findMany({
      where: {
        ...(query.cursor && { id: { lt: query.cursor } }),
        ...(query.reason && { reason: query.reason }),
        ...(query.state && WHERE_STATE[query.state]),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  return pageOf(found.map(masked), limit);
}

export async function findDeadLetter(prisma: PrismaClient, id: bigint): Promise<LetterRow | null> {
  const row = await prisma.deadLetter.findUnique({ where: { id } });
  return row && masked(row);
}

function masked(row: StoredLetter): LetterRow {
  const error = row.error === null ? null : maskText(row.error);
  return { ...row, error, job: maskJobData(row.job) };
}
