import type { Redis } from 'ioredis';
import { messageOf } from '../runtime/errors.js';

/** A Sentinel or node that named a replica may name it again. */
const LOOK_AGAIN_MS = 1_000;

/** What the gateway knows about its connection to Redis, over all reconnections. */
export interface RedisLink {
  readonly isReady: boolean;
  /** Null until the first connection was made or failed. */
  readonly lastError: string | null;
  /** How many connections were lost. */
  readonly losses: number;
  /**
   * Disconnects, and so looks for the master again, once a second at most. A former master reports
   * its new role only in reply to an add, and it gets none.
   */
  lookElsewhere(reason: string): void;
}

export function watchRedisLink(
  redis: Redis,
  on: { readonly lost: (reason: string) => void; readonly ready: () => void },
): RedisLink {
  let lastError: string | null = null;
  let connectedAtMs = 0;
  let losses = 0;
  // The monitor already reports it; without a listener an error would end the process.
  redis.on('error', (error: Error) => {
    lastError = messageOf(error);
  });
  redis.on('close', () => {
    losses += 1;
    on.lost(lastError ?? 'connection lost');
  });
  redis.on('ready', () => {
    lastError = 'connection lost';
    connectedAtMs = performance.now();
    on.ready();
  });
  return {
    get isReady() {
      return redis.status === 'ready';
    },
    get lastError() {
      return lastError;
    },
    get losses() {
      return losses;
    },
    lookElsewhere(reason) {
      if (performance.now() - connectedAtMs < LOOK_AGAIN_MS) return;
      lastError = reason;
      redis.disconnect(true);
    },
  };
}
