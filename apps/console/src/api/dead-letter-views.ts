import type { Prisma } from '@payonce/prisma/client';
import { z } from 'zod';
import { maskJobData } from '../masking/job.js';
import { maskText } from '../masking/text.js';
import { time } from './fields.js';

export const deadLetterView = z.object({
  id: z.string(),
  /** Where it died last. */
  queue: z.string(),
  jobId: z.string(),
  reason: z.string(),
  error: z.string().nullable(),
  deaths: z.number().int(),
  createdAt: time,
  lastAt: time,
  /** Asked for and not made yet. */
  redriveRequestedAt: time.nullable(),
  redrivenAt: time.nullable(),
  dismissedAt: time.nullable(),
  /** The job, masked; what is no job of ours shows as nothing but its being there. */
  job: z.unknown(),
});

type Row = Prisma.DeadLetterGetPayload<object>;

export function viewOfDeadLetter(row: Row): z.infer<typeof deadLetterView> {
  return {
    id: row.id.toString(),
    queue: row.queue,
    jobId: row.jobId,
    reason: row.reason,
    error: row.error === null ? null : maskText(row.error),
    deaths: row.deaths,
    createdAt: row.createdAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    redriveRequestedAt: row.redriveRequestedAt?.toISOString() ?? null,
    redrivenAt: row.redrivenAt?.toISOString() ?? null,
    dismissedAt: row.dismissedAt?.toISOString() ?? null,
    job: maskJobData(row.job),
  };
}
