import { PrismaPg } from '@prisma/adapter-pg';
import { BoundedPool } from './bounded-pool.js';
import { PrismaClient } from './generated/prisma/client.js';

export interface PrismaSettings {
  /** `postgres://…`; may go through PgBouncer (no statement is prepared by name). */
  readonly url: string;
  /**
   * The maximum of connections. Budget them: all processes together must stay below
   * `max_connections`.
   */
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Called for connections that died while idle; the pool replaces them by itself. */
  readonly onIdleError?: (error: Error) => void;
  /**
   * Called for each connection that the pool opens, before its first use: it may lead to another
   * server.
   */
  readonly onConnect?: () => void;
}

/** Connects lazily, at the first query. The caller ends it with `$disconnect()`. */
export function createPrisma(settings: PrismaSettings): PrismaClient {
  const ignore = () => undefined;
  const adapter = new PrismaPg(
    new BoundedPool({
      connectionString: settings.url,
      max: settings.poolSize,
      application_name: settings.applicationName,
      // A database that is down must be an error within the worker's time limit, not a hang.
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // Prisma sends and reads times without their offset, as if every session used UTC. Set here,
      // since PgBouncer keeps it for this client, and older PgBouncers refuse a connection that
      // brings it as a parameter.
      onConnect: async (client) => {
        settings.onConnect?.();
        await client.query("SET timezone = 'UTC'");
      },
    }),
    {
      disposeExternalPool: true,
      // Without a listener the death of an idle connection would end the process.
      onPoolError: settings.onIdleError ?? ignore,
      onConnectionError: settings.onIdleError ?? ignore,
    },
  );
  return new PrismaClient({
    adapter,
    // Otherwise every query records its call site, for an excerpt of our source in its error.
    errorFormat: 'minimal',
    // Limits of an interactive transaction: to get a connection, and to finish. A batch takes
    // milliseconds; a longer one waits for a lock, and a retry is cheaper than a stuck worker.
    transactionOptions: { maxWait: 5_000, timeout: 20_000 },
  });
}

export { Prisma, type PrismaClient } from './generated/prisma/client.js';
