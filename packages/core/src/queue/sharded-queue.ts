import type { NewJob } from './job.js';
import { anyReady, type NotificationQueue, type QueueState } from './notification-queue.js';
import { shardIndex } from './shards.js';

/** The gateway's view of the queue: one shard or many, each with or without a standby. */
export interface ShardedQueue {
  /** Ready while any shard is: with another one down, most notifications are still taken. */
  readonly state: QueueState;
  /**
   * @param shardKey jobs with equal keys go to one shard
   * @returns the name of the store that has it. @throws as `NotificationQueue.enqueue`
   */
  enqueue(job: NewJob, shardKey: string, limitMs: number): Promise<string>;
  close(): Promise<void>;
}

/** @param stores the stores behind the shards, each once: `close` closes them */
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
