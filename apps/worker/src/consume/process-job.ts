import type { Channels } from '@payonce/core/config/channels';
import { isLocked } from '@payonce/core/runtime/errors';
import { isUnavailable } from '@payonce/orders/database/transaction';
import {
  boundedJobId,
  type DeadLetterInput,
  type JobFailure,
} from '@payonce/orders/notifications/records/dead-letter';
import type {
  ApplyOutcome,
  VerifiedNotification,
} from '@payonce/orders/notifications/records/notification';
import type { Job } from 'bullmq';
import { lockDelayMs, putBack, storeDelayMs } from './defer.js';
import type { JobWaits, WaitReason } from './job-waits.js';
import { verifyJob } from './verify-job.js';

/** The used part of BullMQ's job; its data is unchecked. */
export type QueuedJob = Pick<
  Job<unknown, unknown>,
  'id' | 'data' | 'attemptsMade' | 'stalledCounter' | 'opts' | 'moveToDelayed'
>;

export interface ProcessJobDeps {
  readonly channels: Channels;
  /**
   * Applies it, together with others.
   * @param mayBeLocked it must not share a batch with unlocked ones
   * @throws AppError `locked`, `database_unavailable`; otherwise an error that a later attempt may
   * cure
   */
  readonly submit: (
    notification: VerifiedNotification,
    mayBeLocked: boolean,
  ) => Promise<ApplyOutcome>;
  /** Resolves when the dead letter is durable. */
  readonly deadLetter: (letter: Omit<DeadLetterInput, 'queue'>) => Promise<void>;
  /** The delay of a job whose dead letter could not be stored although the store responds. */
  readonly deadLetterRetryMs: number;
  readonly waits: JobWaits;
  /** Called for each job that goes back to the queue without an attempt. */
  readonly onPutBack: (reason: WaitReason) => void;
}

/** The result of a finished job that stays in the queue for inspection. Nothing about the payer. */
export type JobResult =
  | Pick<ApplyOutcome, 'copy' | 'events'>
  | { readonly deadLetter: JobFailure['reason'] };

/**
 * Processes one job: verifies its origin again, applies it, or makes it a dead letter. An error
 * makes BullMQ retry it later; a return removes the job from the queue.
 */
export async function processJob(
  deps: ProcessJobDeps,
  job: QueuedJob,
  token: string | undefined,
): Promise<JobResult> {
  const verdict = verifyJob(job.data, job.id ?? '', deps.channels);
  if (!verdict.ok) return deadLetter(deps, job, token, verdict.failure);
  const jobId = job.id ?? '';
  // A paused worker keeps its jobs' rows locked until PostgreSQL ends its transaction.
  const mayBeLocked = job.stalledCounter > 0 || deps.waits.waitedMs(jobId, 'lock') !== null;
  try {
    const { copy, events } = await deps.submit(verdict.notification, mayBeLocked);
    deps.waits.ended(jobId);
    return { copy, events };
  } catch (error) {
    const reason = isLocked(error) ? 'lock' : isUnavailable(error) ? 'store' : null;
    if (reason !== null) return wait(deps, job, token, reason);
    deps.waits.ended(jobId);
    if (!isLastAttempt(job)) throw error;
    const name = error instanceof Error ? error.name : null;
    return deadLetter(deps, job, token, { reason: 'attempts_exhausted', error: name });
  }
}

/** A lock or an outage says nothing about the job, so neither costs it an attempt. */
function wait(
  { waits, onPutBack }: ProcessJobDeps,
  job: QueuedJob,
  token: string | undefined,
  reason: WaitReason,
): Promise<never> {
  const jobId = job.id ?? '';
  waits.began(jobId, reason);
  onPutBack(reason);
  const waitedMs = waits.waitedMs(jobId, 'lock') ?? 0;
  const random = Math.random();
  return putBack(
    job,
    token,
    reason === 'lock' ? lockDelayMs(waitedMs, random) : storeDelayMs(random),
  );
}

/** The same rule as BullMQ's; a job that lost its options has one attempt. */
function isLastAttempt(job: QueuedJob): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/**
 * First the dead letter, then the queue: a crash between the two leaves a job that is stored again.
 * The job is not removed from outside: `job.remove()` refuses a locked one. Between its failure and
 * its removal it could swallow a re-sent notification, or that could be removed in its place.
 * Instead it is *completed with nothing kept*, which BullMQ does in one step and only for the
 * holder of the lock.
 */
async function deadLetter(
  deps: ProcessJobDeps,
  job: QueuedJob,
  token: string | undefined,
  failure: JobFailure,
): Promise<JobResult> {
  try {
    await deps.deadLetter({ jobId: boundedJobId(job.id ?? ''), job: job.data, ...failure });
  } catch (error) {
    // Costs no attempt: an acknowledged job never leaves the queue before it is stored elsewhere.
    if (isUnavailable(error)) return wait(deps, job, token, 'store');
    return putBack(job, token, deps.deadLetterRetryMs);
  }
  deps.waits.ended(job.id ?? '');
  job.opts.removeOnComplete = true;
  return { deadLetter: failure.reason };
}
