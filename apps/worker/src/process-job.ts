import type { Channels } from '@payonce/core/config/channels';
import { boundedJobId } from '@payonce/core/notifications/dead-letters';
import type { ApplyOutcome, VerifiedNotification } from '@payonce/core/notifications/notification';
import { DelayedError, type Job } from 'bullmq';
import { type JobFault, verifyJob } from './verify-job.js';

/** A job that cannot succeed, as it is kept outside the queue. */
export interface Burial {
  readonly jobId: string;
  /** The job's data as it came from the queue, whatever it is. */
  readonly data: unknown;
  readonly reason: JobFault['reason'] | 'attempts_exhausted';
  /** For operators; of the error or the verification, never of the message. */
  readonly detail: string | null;
}

/** What is used of BullMQ's job; its data is whatever the queue holds. */
export type QueuedJob = Pick<
  Job<unknown, unknown>,
  'id' | 'data' | 'attemptsMade' | 'opts' | 'moveToDelayed'
>;

export interface ProcessJobDeps {
  readonly channels: Channels;
  /** Applies it, together with others. @throws for what a later attempt may cure */
  readonly submit: (notification: VerifiedNotification) => Promise<ApplyOutcome>;
  /** Resolves when the dead letter is durable. */
  readonly bury: (burial: Burial) => Promise<void>;
  /** How long a job waits that could not be buried. */
  readonly buryRetryMs: number;
}

/** What is left in the queue of a finished job, for those who look at it. Nothing of the payer. */
export type JobResult =
  | Pick<ApplyOutcome, 'copy' | 'events'>
  | { readonly deadLetter: Burial['reason'] };

/**
 * One job: proves its origin again, applies it, or buries it. What is thrown makes BullMQ try again
 * later; what returns takes the job out of the queue.
 */
export async function processJob(
  deps: ProcessJobDeps,
  job: QueuedJob,
  token: string | undefined,
): Promise<JobResult> {
  const verdict = verifyJob(job.data, job.id ?? '', deps.channels);
  if (!verdict.ok) {
    const { reason } = verdict.fault;
    const detail = 'verification' in verdict.fault ? verdict.fault.verification : null;
    return bury(deps, job, token, { reason, detail });
  }
  try {
    const { copy, events } = await deps.submit(verdict.notification);
    return { copy, events };
  } catch (error) {
    if (!isLastAttempt(job)) throw error;
    const detail = error instanceof Error ? error.name : null;
    return bury(deps, job, token, { reason: 'attempts_exhausted', detail });
  }
}

/** As BullMQ decides it; a job whose options were lost has one attempt. */
function isLastAttempt(job: QueuedJob): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
}

/**
 * First the dead letter, then the queue: a crash between the two leaves a job that is buried again.
 * The job is not removed from outside (`job.remove()` refuses a locked one, and between its failure and
 * its removal a re-sent notification would be swallowed, or removed in its place): it is *completed with
 * nothing kept*, which BullMQ does in one step and only for the holder of the lock.
 */
async function bury(
  deps: ProcessJobDeps,
  job: QueuedJob,
  token: string | undefined,
  why: Pick<Burial, 'reason' | 'detail'>,
): Promise<JobResult> {
  try {
    await deps.bury({ jobId: boundedJobId(job.id ?? ''), data: job.data, ...why });
  } catch {
    // Costs no attempt: nothing acknowledged leaves the queue before it is kept elsewhere.
    await job.moveToDelayed(Date.now() + deps.buryRetryMs, token);
    throw new DelayedError();
  }
  job.opts.removeOnComplete = true;
  return { deadLetter: why.reason };
}
