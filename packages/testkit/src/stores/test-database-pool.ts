import type pg from 'pg';
import { type DatabaseServer, type FreshDatabase, freshDatabase } from './database.js';
import { openSession } from './sessions.js';

/** How long a client that was asked to leave may take. */
const LEAVE_LIMIT_MS = 1_000;
const ASK_AGAIN_MS = 5;

/** The name in `pg_stat_activity` of clients that belong to the pool. */
export const POOLED_CLIENT = 'pooled';

export interface PooledDatabase<Client> extends Omit<FreshDatabase, 'drop'> {
  readonly client: Client;
  /** Every other client must have disconnected. */
  release(): Promise<void>;
}

interface Pooled<Client> {
  readonly database: FreshDatabase;
  readonly client: Client;
  /** Deletes without regard to foreign keys and triggers. */
  readonly keeper: pg.Client;
  readonly shape: string;
  readonly emptying: string;
}

/**
 * Takes a migrated database without a row, with a client, for one test. Cloning one and connecting
 * takes a third of a second of a core. A released one is emptied in milliseconds and taken again.
 * It is dropped instead if a test changed more than rows, or left a client that could change them
 * later.
 * @param connect a client that is `POOLED_CLIENT` to PostgreSQL
 */
export function createTestDatabasePool<Client extends { $disconnect(): Promise<void> }>(
  connect: (url: string) => Client,
): (server: DatabaseServer) => Promise<PooledDatabase<Client>> {
  const idle: Pooled<Client>[] = [];
  return async (server) => {
    const kept = idle.pop() ?? (await keep(server, connect));
    const { client, keeper, database } = kept;
    return {
      ...database,
      client,
      async release() {
        if (await emptied(kept)) return void idle.push(kept);
        await database.drop(); // cuts every connection
        void Promise.allSettled([client.$disconnect(), keeper.end()]);
      },
    };
  };
}

async function keep<Client>(
  server: DatabaseServer,
  connect: (url: string) => Client,
): Promise<Pooled<Client>> {
  const database = await freshDatabase(server);
  // A test may cut it: that is noticed when it is released.
  const options = '-c session_replication_role=replica';
  const keeper = await openSession(database.url, { options });
  const { shape } = await look(keeper);
  const emptying = await keeper.query<{ statements: string }>(EMPTYING);
  return {
    database,
    client: connect(database.url),
    keeper,
    shape,
    emptying: emptying.rows[0]?.statements ?? '',
  };
}

async function emptied({ keeper, shape, emptying }: Pooled<unknown>): Promise<boolean> {
  try {
    const end = Date.now() + LEAVE_LIMIT_MS;
    let now = await look(keeper);
    while (now.busy > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      now = await look(keeper);
    }
    if (now.busy > 0 || now.shape !== shape) return false;
    await keeper.query(emptying);
    return true;
  } catch {
    return false; // the connection was cut
  }
}

async function look(keeper: pg.Client): Promise<{ busy: number; shape: string }> {
  const { rows } = await keeper.query<{ busy: number; shape: string }>(LOOK, [POOLED_CLIENT]);
  return rows[0] ?? { busy: 0, shape: '' };
}

/** Deletes every row except those of the migrations, and restarts every sequence. */
const EMPTYING = `
  SELECT string_agg(statement, '; ') AS statements FROM (
    SELECT format('DELETE FROM %I.%I', schemaname, tablename) AS statement FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
    UNION ALL
    SELECT format('SELECT setval(%L, 1, false)', format('%I.%I', schemaname, sequencename))
    FROM pg_sequences
  ) each_of_them`;

/**
 * Sessions that can still change data: of another client, or of a pooled client that is not idle or
 * holds a lock. Also a text that distinguishes the schema from an altered one.
 */
const LOOK = `
  SELECT (
    SELECT count(*)::int FROM pg_stat_activity a
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid()
      AND (application_name <> $1 OR state <> 'idle'
        OR EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid))
  ) AS busy, (
    SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
      SELECT concat_ws(' ', oid, relname, relnamespace, relacl) FROM pg_class
        WHERE relkind IN ('r', 'i', 'S', 'v') AND oid >= 16384
      UNION ALL SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, attisdropped)
        FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
      UNION ALL SELECT concat_ws(' ', oid, tgenabled) FROM pg_trigger
      UNION ALL SELECT concat_ws(' ', oid, conname) FROM pg_constraint WHERE oid >= 16384
      UNION ALL SELECT concat_ws(' ', oid, prosrc) FROM pg_proc WHERE oid >= 16384
      UNION ALL SELECT concat_ws(' ', oid, nspname, nspacl) FROM pg_namespace
      UNION ALL SELECT concat_ws(' ', setdatabase, setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ) parts (part)
  ) AS shape`;
