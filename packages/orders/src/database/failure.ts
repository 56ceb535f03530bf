/**
 * What a failed statement means for a retry.
 * - `contention`: it lost against another transaction; retry at once
 * - `unavailable`: the database failed, not the statement; retry later
 * - `permanent`: it will fail again, for a poisonous value or a mistake in the program
 */
export type FailureKind = 'contention' | 'unavailable' | 'permanent';

/** Deadlock, and serialization failure. */
const CONTENTION = new Set(['40P01', '40001']);

/**
 * Classes of SQLSTATE (PostgreSQL, appendix A) that say nothing about the values: 08 connection, 25
 * wrong transaction state (25006: read-only after a fail-over), 28 authorization, 3D no such
 * database, 40 rollback, 42 a missing table (not migrated yet), 53 resources, 55 object state
 * (55P03: lock not available), 57 operator intervention, 58 system error.
 */
const UNAVAILABLE = new Set(['08', '25', '28', '3D', '40', '42', '53', '55', '57', '58']);

/** Kinds of failure that driver adapters report without a SQLSTATE. */
const CONNECTION_KINDS = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'TlsConnectionError',
  'SocketTimeout',
  'TooManyConnections',
]);

/** node-postgres throws these as plain errors with only a text. */
const CONNECTION_TEXT =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Client was closed)/;

export function failureKind(error: unknown): FailureKind {
  const state = sqlState(error);
  if (state !== null) {
    if (CONTENTION.has(state)) return 'contention';
    return UNAVAILABLE.has(state.slice(0, 2)) ? 'unavailable' : 'permanent';
  }
  return isConnectionFailure(error) ? 'unavailable' : 'permanent';
}

/**
 * The five characters of PostgreSQL's response, wherever Prisma 7 puts them; null without a
 * response.
 */
export function sqlState(error: unknown): string | null {
  const { originalCode, code } = driverCause(error);
  const state = originalCode ?? code ?? property(error, 'code');
  return typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && !isPrismaCode(state)
    ? state
    : null;
}

function isConnectionFailure(error: unknown): boolean {
  const { kind } = driverCause(error);
  if (typeof kind === 'string' && CONNECTION_KINDS.has(kind)) return true;
  const code = property(error, 'code');
  // P1xxx: Prisma could not connect. P2024, P2028: no connection, or no end, within the time limit.
  if (typeof code === 'string' && /^(P1\d{3}|P2024|P2028|E[A-Z]+)$/.test(code)) return true;
  return error instanceof Error && CONNECTION_TEXT.test(error.message);
}

/**
 * Prisma's codes look like a SQLSTATE. No class of PostgreSQL begins like them: P0 is PL/pgSQL's.
 */
function isPrismaCode(code: string): boolean {
  return /^P[1-9]\d{3}$/.test(code);
}

function driverCause(error: unknown): Record<string, unknown> {
  const adapterError = property(property(error, 'meta'), 'driverAdapterError') ?? error;
  const cause = property(adapterError, 'cause');
  return typeof cause === 'object' && cause !== null ? (cause as Record<string, unknown>) : {};
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
