import pg from 'pg';
import { applyMigration, LOCK_TIMEOUT_MS, type Session, withLockRetries } from './apply.js';
import { watchLocks } from './lock-watch.js';
import { createMigrationTable, markRolledBack } from './migration-table.js';
import { readMigrations } from './migrations.js';
import { planMigrations } from './plan.js';
import { prepareQueue } from './queue/prepare.js';
import { MigrationRefused } from './refused.js';
import { takeTurn } from './turns.js';

export interface MigrateSettings {
  /** As the owner of the database; directly, not through PgBouncer (a session holds the lock). */
  readonly databaseUrl: string;
  /**
   * The queue's role, password and database; if given, the role, the database and its schema are
   * created.
   */
  readonly queueDatabaseUrl?: string | undefined;
  readonly queueSchema?: string | undefined;
  /** How many connections the queue's role may have; half of the server's if not given. */
  readonly queueConnections?: number | undefined;
  /** For tests: other migrations than this package's. */
  readonly migrationsFolder?: URL | undefined;
  /** Receives the migrations that are applied, and the holders of locks. */
  readonly log?: ((line: string) => void) | undefined;
  /** For tests: shorter times, in milliseconds. */
  readonly patience?: Session['patience'];
}

export interface MigrateResult {
  /** Names of the migrations that were applied now; empty when the database was up to date. */
  readonly applied: readonly string[];
}

/**
 * Brings a database up to this release, without any download. Several machines may run it at once:
 * they take turns, and the later ones find nothing to do.
 * @throws MigrationRefused for a database of a newer release, or one with an interrupted migration.
 */
export async function migrate(settings: MigrateSettings): Promise<MigrateResult> {
  const log = settings.log ?? (() => undefined);
  return withSession(settings.databaseUrl, async (client) => {
    await takeTurn(client, log);
    const applied = await applyPending(client, settings, log);
    const { queueDatabaseUrl, patience } = settings;
    if (queueDatabaseUrl !== undefined) {
      await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await withLockRetries({ name: "the queue's schema", log, patience }, () =>
        prepareQueue(client, { ...settings, queueDatabaseUrl, log }, withSession),
      );
    }
    return { applied };
  });
}

/**
 * Names of the migrations that `migrate` would apply, oldest first. It changes nothing.
 * @throws MigrationRefused where `migrate` would refuse
 */
export async function pendingMigrations(
  settings: Pick<MigrateSettings, 'databaseUrl' | 'migrationsFolder'>,
): Promise<readonly string[]> {
  const migrations = await readMigrations(settings.migrationsFolder);
  return withSession(settings.databaseUrl, async (client) => {
    const { pending } = await planMigrations(client, migrations);
    return pending.map(({ name }) => name);
  });
}

/**
 * Marks an interrupted migration as rolled back, so that the next run applies it again.
 * @throws MigrationRefused when no such migration was interrupted
 */
export async function acknowledgeFailure(databaseUrl: string, name: string): Promise<void> {
  await withSession(databaseUrl, async (client) => {
    // Takes its turn first: a migration that runs at this moment was not interrupted.
    await takeTurn(client, () => undefined);
    if (await markRolledBack(client, name)) return;
    throw new MigrationRefused(`no migration ${name} broke off in this database.`);
  });
}

async function applyPending(
  client: pg.Client,
  settings: MigrateSettings,
  log: (line: string) => void,
): Promise<readonly string[]> {
  const migrations = await readMigrations(settings.migrationsFolder);
  const { pending, hasTable } = await planMigrations(client, migrations);
  if (!hasTable) await createMigrationTable(client);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid ?? 0;
  for (const migration of pending) {
    const { name } = migration;
    log(`applying ${name}`);
    // A file's SET must only affect its statements.
    await client.query(SESSION);
    const watch = watchLocks({ databaseUrl: settings.databaseUrl, pid, name, log });
    try {
      await applyMigration({ client, log, patience: settings.patience }, migration);
    } finally {
      await watch.stop();
    }
  }
  await client.query(SESSION);
  return pending.map(({ name }) => name);
}

/**
 * Settings of a role or database must not change where tables are created, or end a long statement.
 */
const SESSION = `RESET ALL; SET search_path = public; SET statement_timeout = 0;
  SET idle_in_transaction_session_timeout = 0`;

/** The end of the session releases its locks, and leaves no connection. */
async function withSession<T>(
  databaseUrl: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    application_name: 'payonce-migrate',
  });
  // A connection that dies between two statements shows at the next one.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(SESSION);
    return await use(client);
  } finally {
    await client.end();
  }
}
