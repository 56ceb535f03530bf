import type { Redis } from 'ioredis';
import { z } from 'zod';
import { connectReader } from './connection.js';
import type { QueueStores } from './queue-settings.js';
import { shardAt, targetOf } from './shards.js';

/** Where the orders' database was last: see `DatabasePosition`. */
const remembered = z.object({
  system: z.string(),
  timeline: z.string(),
  table: z.string(),
  wal: z.string().regex(/^\d+$/),
  /** No version of an order before the last rewind was greater. */
  versionFloor: z.int().min(0),
});
export type RememberedPosition = z.infer<typeof remembered>;

/** Remembers a position outside PostgreSQL. */
export interface PositionMemory {
  /** @returns null if nothing is remembered @throws when Redis does not respond */
  read(): Promise<RememberedPosition | null>;
  /** @throws when Redis does not respond */
  write(position: RememberedPosition): Promise<void>;
  close(): void;
}

/** In Redis, beside the first shard; null without Redis. */
export function openPositionMemory([store]: QueueStores): PositionMemory | null {
  if (store.kind === 'postgres') return null;
  const shard = shardAt(store, 0);
  const key = `${shard.prefix}:orders-database`;
  const redis: Redis = connectReader(targetOf(shard));
  // Each command reports it.
  redis.on('error', () => {});
  return {
    async read() {
      const text = await redis.get(key);
      // Whatever another release or another program wrote there, nothing is known then.
      const parsed = remembered.safeParse(text === null ? null : parse(text));
      return parsed.success ? parsed.data : null;
    },
    async write(position) {
      await redis.set(key, JSON.stringify(position));
    },
    close: () => redis.disconnect(),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
