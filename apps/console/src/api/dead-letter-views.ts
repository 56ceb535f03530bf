import { z } from 'zod';
import type { LetterRow } from '../reads/dead-letters.js';
import { time } from '../schemas/fields.js';

export const deadLetterView = z.object({
  id: z.string(),
  /** The queue of its last failure. */
  queue: z.string(),
  jobId: z.string(),
  reason: z.string(),
  error: z.string().nullable(),
  deaths: z.number().int(),
  createdAt: time,
  lastAt: time,
  /** Requested and not done yet. */
  redriveRequestedAt: time.nullable(),
  redrivenAt: time.nullable(),
  dismissedAt: time.nullable(),
  purgedAt: time
    .nullable()
    .describe('When retention deleted its job, long after it was closed; null while it is kept.'),
  /** The masked job. Data that is no job shows only that it exists. */
  job: z.unknown(),
});

export function viewOfDeadLetter(row: LetterRow): z.infer<typeof deadLetterView> {
  return {
    id: row.id.toString(),
    queue: row.queue,
    jobId: row.jobId,
    reason: row.reason,
    error: row.error,
    deaths: row.deaths,
    createdAt: row.createdAt.toISOString(),
    lastAt: row.lastAt.toISOString(),
    redriveRequestedAt: row.redriveRequestedAt?.toISOString() ?? null,
    redrivenAt: row.redrivenAt?.toISOString() ?? null,
    dismissedAt: row.dismissedAt?.toISOString() ?? null,
    purgedAt: row.purgedAt?.toISOString() ?? null,
    job: row.job,
  };
}
