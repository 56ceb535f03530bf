import { AppError } from '@payonce/core/errors';
import type { Metrics } from '@payonce/core/metrics';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import { Gauge } from 'prom-client';

/**
 * Limits how many notifications wait for the queue at once. While stores are slow, each holds its
 * bytes for up to two seconds. Beyond the limit the provider immediately gets an answer that makes
 * it resend, and memory stays bounded.
 */
export function boundInFlight(
  queue: Pick<ShardedQueue, 'enqueue'>,
  limit: number,
  metrics: Metrics,
): Pick<ShardedQueue, 'enqueue'> {
  let inFlight = 0;
  new Gauge({
    name: 'payonce_gateway_in_flight',
    help: 'Genuine notifications that are waiting for a store.',
    registers: [metrics],
    collect() {
      this.set(inFlight);
    },
  });
  return {
    async enqueue(...asked) {
      if (inFlight >= limit) {
        throw new AppError('queue_unavailable', { detail: `${inFlight} are in flight` });
      }
      inFlight += 1;
      try {
        return await queue.enqueue(...asked);
      } finally {
        inFlight -= 1;
      }
    },
  };
}
