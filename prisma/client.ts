import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';

export interface PrismaSettings {
  /** `postgres://…`; may go through PgBouncer (no statement is prepared by name). */
  readonly url: string;
  /** Connections at most. Budget them: all processes together must stay below `max_connections`. */
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Told of connections that died while idle; the pool replaces them by itself. */
  readonly onIdleError?: (error: Error) => void;
  /** Told of each connection that the pool opens, before its first use: it may lead to another server. */
  readonly onConnect?: () => void;
}

/** Connects lazily, at the first query. The caller ends it with `$disconnect()`. */
export function createPrisma(settings: PrismaSettings): PrismaClient {
  const ignore = () => undefined;
  const adapter = new PrismaPg(
    {
      connectionString: settings.url,
      max: settings.poolSize,
      application_name: settings.applicationName,
      // A database that is away must be an error within the worker's patience, not a hang.
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // Prisma sends and reads times without their offset, as if every session spoke UTC. Set here, since PgBouncer
      // keeps it for this client, and older ones refuse a connection that brings it along.
      onConnect: async (client) => {
        settings.onConnect?.();
        await client.query("SET timezone = 'UTC'");
      },
    },
    {
      // Without a listener an idle connection's death would end the process.
      onPoolError: settings.onIdleError ?? ignore,
      onConnectionError: settings.onIdleError ?? ignore,
    },
  );
  return new PrismaClient({
    adapter,
    // Otherwise every query notes where it was called from, for an excerpt of our source in its error.
    errorFormat: 'minimal',
    // An interactive transaction's limits: to get a connection, and to be done. A batch takes
    // milliseconds; what takes longer waits for a lock, and a retry is cheaper than a stuck worker.
    transactionOptions: { maxWait: 5_000, timeout: 20_000 },
  });
}

export { Prisma, type PrismaClient } from './generated/client.js';
