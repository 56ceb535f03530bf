import { openPositionMemory } from '@payonce/core/queue/position-memory';
import type { QueueStores } from '@payonce/core/queue/queue-settings';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { type DatabaseWatch, type DatabaseWatchOptions, watchDatabase } from './database-watch.js';
import { watchRewinds } from './rewind-watch.js';

/**
 * Opens a process's pool and the watch that asks about each connection of it. Both stop with the
 * process, the watch first.
 */
export function openDatabase(
  options: Omit<DatabaseWatchOptions, 'rewinds'> & {
    readonly poolSize: number;
    readonly queues: QueueStores;
    readonly lifecycle: Lifecycle;
  },
): { readonly prisma: PrismaClient; readonly watch: DatabaseWatch } {
  const { url, poolSize, applicationName, durability, lifecycle, log } = options;
  const prisma = createPrisma({
    url,
    poolSize,
    applicationName,
    onConnect: () => watch.suspect(),
    onIdleError: (err) => {
      log.warn({ err }, 'database.connection_lost');
      watch.suspect();
    },
  });
  lifecycle.onStop('database', () => prisma.$disconnect());
  const memory = openPositionMemory(options.queues);
  if (memory) lifecycle.onStop('position memory', async () => memory.close());
  const watch = watchDatabase({
    url,
    applicationName: `${applicationName}-watch`,
    durability,
    rewinds: watchRewinds({ prisma, memory, log }),
    log,
  });
  lifecycle.onStop('database watch', () => watch.stop());
  return { prisma, watch };
}
