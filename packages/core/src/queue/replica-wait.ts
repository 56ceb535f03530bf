import type { Redis } from 'ioredis';
import { AppError } from '../runtime/errors.js';
import { REPLICA_WAIT_MS } from './time-limits.js';

/**
 * A barrier: all earlier writes of this connection are then on `replicas` replicas. `WAIT` blocks
 * its connection, so it is shared: one is running, and all callers meanwhile share the next. Call
 * it after the reply to the write.
 * @throws AppError when too few replicas have it
 */
export function replicaBarrier(redis: Redis, replicas: number): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  async function wait(): Promise<void> {
    const reached = await redis.wait(replicas, REPLICA_WAIT_MS);
    if (reached < replicas) {
      throw new AppError('queue_unavailable', {
        detail: `${reached} of ${replicas} replicas have it`,
      });
    }
  }

  return () => {
    if (next) return next;
    const mine = underWay
      .catch(() => {})
      .then(() => {
        next = null;
        return wait();
      });
    next = mine;
    underWay = mine;
    return mine;
  };
}
