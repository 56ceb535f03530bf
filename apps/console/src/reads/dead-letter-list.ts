import type { DeadLetterReason } from '@payonce/orders/notifications/dead-letter';
import type { Prisma, PrismaClient } from '@payonce/prisma/client';
import { pageOf } from '../api/fields.js';
import { withinSeconds } from './within-seconds.js';

export const LETTER_STATES = ['open', 'redriven', 'dismissed'] as const;
export type LetterState = (typeof LETTER_STATES)[number];
export type LetterRow = Prisma.DeadLetterGetPayload<object>;

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
  const found = await withinSeconds(prisma, (tx) =>
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
  return pageOf(found, limit);
}
