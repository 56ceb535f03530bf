import type { PositionMemory } from '@payonce/core/queue/position-memory';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Log } from '@payonce/core/runtime/log';
import type { PrismaClient } from '@payonce/prisma/client';
import { type DatabasePosition, rewoundBecause } from './position.js';
import { recordRewind } from './rewinds.js';

export interface RewindWatch {
  /**
   * Compares a response of the database with what is known, and records when it went back in time.
   * @throws when that cannot be recorded: then nothing may rely on the database
   */
  examine(look: DatabaseLook): Promise<void>;
}

/** A response of the database. */
export interface DatabaseLook extends DatabasePosition {
  /** The greatest floor that it has; 0 if it never went back. */
  readonly versionFloor: number;
}

export interface RewindWatchOptions {
  readonly prisma: PrismaClient;
  /** Outside PostgreSQL; null without Redis: only this process remembers then. */
  readonly memory: PositionMemory | null;
  readonly log: Log;
}

/** How often the position is remembered outside: what a restart of all processes may miss. */
const REMEMBER_MS = 5_000;

/** A Redis that hangs must not delay a check of the database for long. */
const READ_LIMIT_MS = 500;

/** Asks for no position itself, and never in the transaction that applies a payment. */
export function watchRewinds({ prisma, memory, log }: RewindWatchOptions): RewindWatch {
  let known: { readonly position: DatabasePosition; readonly versionFloor: number } | null = null;
  let wasRead = memory === null;
  let rememberedAt = Number.NEGATIVE_INFINITY;

  /**
   * Until Redis has responded once. Without it the work goes on, and the comparison follows.
   * @returns whether something was read now
   */
  async function readMemory(): Promise<boolean> {
    if (wasRead || memory === null) return false;
    try {
      const stored = await withDeadline(memory.read(), READ_LIMIT_MS, 'reading the position');
      wasRead = true;
      if (stored === null) return false;
      const { versionFloor, ...position } = stored;
      known = { position, versionFloor };
      return true;
    } catch (err) {
      log.debug({ err }, 'database.position_unknown');
      return false;
    }
  }

  function remember(position: DatabasePosition, versionFloor: number): void {
    known = { position, versionFloor };
    if (memory === null || !wasRead || performance.now() - rememberedAt < REMEMBER_MS) return;
    rememberedAt = performance.now();
    memory
      .write({ ...position, versionFloor })
      .catch((err) => log.debug({ err }, 'database.position_unknown'));
  }

  return {
    async examine({ versionFloor: present, ...position }) {
      const readNow = await readMemory();
      const reason = known && rewoundBecause(known.position, position);
      const floor = known?.versionFloor ?? 0;
      if (!reason) return remember(position, Math.max(floor, present));
      // Another process may have written its newer position since this response.
      if (readNow) throw new Error('the database is asked again');
      const versionFloor = await recordRewind({ prisma, log }, reason, floor);
      log.error({ reason, versionFloor }, 'database.rewound');
      rememberedAt = Number.NEGATIVE_INFINITY;
      remember(position, versionFloor);
    },
  };
}
