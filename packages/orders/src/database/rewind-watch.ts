import type { PositionMemory } from '@payonce/core/queue/position-memory';
import type { Log } from '@payonce/core/runtime/log';
import type { PrismaClient } from '@payonce/prisma/client';
import { type DatabasePosition, rewoundBecause } from './position.js';
import { recordRewind } from './rewinds.js';

export interface RewindWatch {
  /**
   * Compares a response of the database with what is known, and records when it went back in time.
   * @throws when that cannot be recorded: then nothing may rely on the database
   */
  examine(position: DatabasePosition): Promise<void>;
}

export interface RewindWatchOptions {
  readonly prisma: PrismaClient;
  /** Outside PostgreSQL; null without Redis: only this process remembers then. */
  readonly memory: PositionMemory | null;
  readonly log: Log;
}

/** How often the position is remembered outside: what a restart of all processes may miss. */
const REMEMBER_MS = 5_000;

/** Asks for no position itself, and never in the transaction that applies a payment. */
export function watchRewinds({ prisma, memory, log }: RewindWatchOptions): RewindWatch {
  let known: { readonly position: DatabasePosition; readonly versionFloor: number } | null = null;
  let wasRead = memory === null;
  let rememberedAt = Number.NEGATIVE_INFINITY;

  /** Without Redis it goes on: Redis holds the jobs too, and they wait for it. */
  async function readMemory(): Promise<void> {
    if (wasRead || memory === null) return;
    try {
      const stored = await memory.read();
      wasRead = true;
      if (stored === null) return;
      const { versionFloor, ...position } = stored;
      known ??= { position, versionFloor };
    } catch (err) {
      log.debug({ err }, 'database.position_unknown');
    }
  }

  async function remember(position: DatabasePosition, versionFloor: number): Promise<void> {
    known = { position, versionFloor };
    if (memory === null || !wasRead || performance.now() - rememberedAt < REMEMBER_MS) return;
    try {
      await memory.write({ ...position, versionFloor });
      rememberedAt = performance.now();
    } catch (err) {
      log.debug({ err }, 'database.position_unknown');
    }
  }

  return {
    async examine(position) {
      const isFirst = !wasRead;
      await readMemory();
      const reason = known && rewoundBecause(known.position, position);
      if (!reason) return remember(position, known?.versionFloor ?? 0);
      // Another process may have written its newer position since this response.
      if (isFirst) throw new Error('the database is asked again');
      const versionFloor = await recordRewind(prisma, reason, known?.versionFloor ?? 0);
      log.error({ reason, versionFloor }, 'database.rewound');
      rememberedAt = Number.NEGATIVE_INFINITY;
      await remember(position, versionFloor);
    },
  };
}
