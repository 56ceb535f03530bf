import { AppError } from '../runtime/errors.js';
import type { ShardedQueue } from './sharded-queue.js';

export interface BoundedQueue extends ShardedQueue {
  /** The jobs that wait for a store now. */
  readonly inFlight: number;
}

/**
 * Limits how many notifications wait for the queue at once. While stores are slow, each holds its
 * bytes for up to two seconds. Beyond the limit the provider immediately gets a reply that makes
 * it resend, and memory stays bounded.
 */
export function boundInFlight(queue: ShardedQueue, limit: number): BoundedQueue {
  let inFlight = 0;
  return {
    get inFlight() {
      return inFlight;
    },
    get state() {
      return queue.state;
    },
    async enqueue(job, shardKey, limitMs) {
      if (inFlight >= limit) {
        throw new AppError('queue_unavailable', { detail: `${inFlight} are in flight` });
      }
      inFlight += 1;
      try {
        return await queue.enqueue(job, shardKey, limitMs);
      } finally {
        inFlight -= 1;
      }
    },
    close: () => queue.close(),
  };
}
