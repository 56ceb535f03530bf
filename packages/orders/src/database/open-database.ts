import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import { createPrisma, type PrismaClient } from '@payonce/prisma/client';
import { type DatabaseWatch, type DatabaseWatchOptions, watchDatabase } from './database-watch.js';

/**
 * Opens a process's pool and the watch that asks about each connection of it. Both stop with the
 * process, the watch first.
 */
export function openDatabase(
  options: DatabaseWatchOptions & { readonly poolSize: number; readonly lifecycle: Lifecycle },
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
  const watch = watchDatabase({
    url,
    applicationName: `${applicationName}-watch`,
    durability,
    log,
  });
  lifecycle.onStop('database watch', () => watch.stop());
  return { prisma, watch };
}
