import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { NO_FILTERS, readMigrations, readSchema, withSchemaEngine } from './engine.js';
import { prepareQueueSchema } from './queue-role.js';
import { MigrationRefused } from './refused.js';

export interface MigrateSettings {
  /** Owner of the database; directly, not through PgBouncer (a session holds the lock). */
  readonly databaseUrl: string;
  /** The queue's own role, with its password; given, the role and its schema are made. */
  readonly queueDatabaseUrl?: string | undefined;
  readonly queueSchema?: string | undefined;
  /** For tests: other migrations than this package's. */
  readonly migrationsFolder?: URL | undefined;
}

export interface MigrateResult {
  /** Names of the migrations that were applied now; empty when the database was up to date. */
  readonly applied: readonly string[];
}

/** `payo` in ASCII: the key that migrators of one database queue up on. */
const MIGRATION_LOCK = 0x7061796f;

/**
 * Brings a database up to this version, without any download. Safe to run from several machines at
 * once: they take turns, and the later ones find nothing to do.
 * @throws MigrationRefused for a database of a newer version, or one whose migration broke off.
 */
export async function migrate(settings: MigrateSettings): Promise<MigrateResult> {
  const client = new pg.Client({
    connectionString: settings.databaseUrl,
    connectionTimeoutMillis: 5_000,
    application_name: 'payonce-migrate',
  });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const migrations = await readMigrations(settings.migrationsFolder);
    await refuseWhatCannotBeMigrated(client, migrations);
    const applied = await applyMigrations(settings.databaseUrl, migrations);
    if (settings.queueDatabaseUrl !== undefined) {
      await prepareQueueSchema(client, settings.queueDatabaseUrl, settings.queueSchema);
    }
    return { applied };
  } finally {
    // Ends the session, and with it the lock.
    await client.end();
  }
}

async function applyMigrations(
  databaseUrl: string,
  migrationsList: MigrationList,
): Promise<readonly string[]> {
  const result = await withSchemaEngine(databaseUrl, await readSchema(), (engine) =>
    engine.applyMigrations({ migrationsList, filters: NO_FILTERS }),
  );
  return result.appliedMigrationNames;
}

/** The engine itself goes on silently with a database that knows more migrations than the folder. */
async function refuseWhatCannotBeMigrated(
  client: pg.Client,
  migrations: MigrationList,
): Promise<void> {
  const table = await client.query(`SELECT to_regclass('public._prisma_migrations') AS name`);
  if (table.rows[0].name === null) return;
  const { rows } = await client.query<{ migration_name: string; finished: boolean }>(
    `SELECT migration_name, finished_at IS NOT NULL AS finished
     FROM public._prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  );
  const known = new Set(migrations.migrationDirectories.map((directory) => directory.path));
  const newer = rows.map((row) => row.migration_name).filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new MigrationRefused(
      `the database is newer than this version of payonce: it has ${newer.join(', ')}. Run the newer version, or restore a backup of before.`,
    );
  }
  const broken = rows.filter((row) => !row.finished).map((row) => row.migration_name);
  if (broken.length > 0) {
    throw new MigrationRefused(
      `migration ${broken.join(', ')} broke off: see its row in _prisma_migrations, repair by hand, then delete the row.`,
    );
  }
}
