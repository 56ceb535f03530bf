import pg from 'pg';

/** A server that hangs fails the caller, also on a busy machine. */
const CONNECT_LIMIT_MS = 10_000;

/** A connection to PostgreSQL whose loss only its next query reports; the caller ends it. */
export async function openSession(url: string, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const session = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    ...config,
  });
  session.on('error', () => {});
  await session.connect();
  return session;
}

/** Ends the connection when the work is done. */
export async function inSession<Result>(
  url: string,
  work: (session: pg.Client) => Promise<Result>,
  config?: pg.ClientConfig,
): Promise<Result> {
  const session = await openSession(url, config);
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}

/** Runs the statements one after the other. @returns the rows of the last one */
export function query<Row extends object = Record<string, unknown>>(
  url: string,
  ...statements: readonly string[]
): Promise<Row[]> {
  return inSession(url, async (session) => {
    let rows: Row[] = [];
    for (const statement of statements)
      ({ rows } = await session.query<Row & pg.QueryResultRow>(statement));
    return rows;
  });
}

/** Runs the statements in a transaction that keeps their locks. @returns rolls it back */
export async function holdLocks(
  url: string,
  ...statements: readonly string[]
): Promise<() => Promise<void>> {
  const session = await openSession(url);
  for (const statement of ['BEGIN', ...statements]) await session.query(statement);
  return async () => {
    // Its database may be gone.
    await session.query('ROLLBACK').catch(() => {});
    await session.end();
  };
}

/** The address of a database of the server, with another login if given. */
export function urlOf(
  serverUrl: string,
  database: string,
  login?: readonly [user: string, password: string],
): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  if (login) [url.username, url.password] = login;
  return url.href;
}
