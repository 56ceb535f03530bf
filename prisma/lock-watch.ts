import pg from 'pg';

/** Milliseconds between two looks: half of `LOCK_TIMEOUT_MS`, so that each try is seen waiting. */
const LOOK_EVERY_MS = 1_000;

export interface LockWatch {
  /** Closes the second connection. */
  stop(): Promise<void>;
}

/**
 * Logs what a session waits for, and the holder, once per change. Connects for the first look: most
 * migrations end before.
 */
export function watchLocks(options: {
  readonly databaseUrl: string;
  /** The session's process ID in PostgreSQL. */
  readonly pid: number;
  readonly name: string;
  readonly log: (line: string) => void;
}): LockWatch {
  let client: pg.Client | undefined;
  let said = '';
  let looking: Promise<void> = Promise.resolve();

  const look = async () => {
    client ??= await connect(options.databaseUrl);
    const waits = await describeWait(client, options.pid);
    if (waits === said) return;
    said = waits;
    if (waits !== '') options.log(`${options.name} waits for ${waits}`);
  };
  const timer = setInterval(() => {
    // A failed look does not stop the migration, which shows a broken connection itself.
    looking = looking.then(look).catch(() => undefined);
  }, LOOK_EVERY_MS);

  return {
    async stop() {
      clearInterval(timer);
      await looking;
      await client?.end().catch(() => undefined);
    },
  };
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: 5_000,
    application_name: 'payonce-migrate-watch',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** No query texts: they may hold data. @returns '' when the session waits for no lock */
async function describeWait(client: pg.Client, pid: number): Promise<string> {
  const { rows } = await client.query<{ lock: string; holders: string | null }>(
    `SELECT coalesce(l.relation::regclass::text, 'the end of a transaction') AS lock,
       (SELECT string_agg(${HOLDER}, '; ' ORDER BY a.pid)
        FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1))) AS holders
     FROM pg_locks l WHERE l.pid = $1 AND NOT l.granted LIMIT 1`,
    [pid],
  );
  const wait = rows[0];
  if (wait === undefined) return '';
  return `${wait.lock}, held by ${wait.holders ?? 'a prepared transaction'}`;
}

/** Formatted in the query, so that the log line never changes while one holder keeps the lock. */
export const HOLDER = `format('process %s (user %s, %s) since %s', a.pid, coalesce(a.usename::text, a.backend_type),
  coalesce(nullif(a.application_name, ''), 'no application name'),
  to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))`;
