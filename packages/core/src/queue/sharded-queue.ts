import type { NewJob } from './job.js';
import { anyReady, type NotificationQueue, type QueueState } from './notification-queue.js';
import { shardIndex } from './shards.js';

/** The queue as the gateway sees it: one shard or many, each with its standby or without. */
export interface ShardedQueue {
  /** Ready while any shard is: with another one away the most part is still taken. */
  readonly state: QueueState;
  /**
   * @param shardKey jobs of one key meet in one shard
   * @returns the name of the store that has it. @throws as `NotificationQueue.enqueue`
   */
  enqueue(job: NewJob, shardKey: string, limitMs: number): Promise<string>;
  close(): Promise<void>;
}

/** @param stores behind the shards, each once: what is closed in the end */
export function shardedQueue(
  shards: readonly Omit<NotificationQueue, 'close'>[],
  stores: readonly NotificationQueue[],
): ShardedQueue {
  return {
    get state() {
      return anyReady(shards);
    },
    async enqueue(job, shardKey, limitMs) {
      const shard = shards[shardIndex(shardKey, shards.length)];
      if (shard === undefined) throw new Error('a queue has at least one shard');
      return shard.enqueue(job, limitMs);
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
