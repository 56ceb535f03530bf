import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** The server for test databases, from vitest's global setup. */
export interface DatabaseServer {
  /** Superuser URL of the maintenance database. */
  readonly postgresUrl: string;
  /** Migrated, with `allow_connections false`; an empty database when null. */
  readonly templateDatabase: string | null;
}

export interface FreshDatabase {
  readonly url: string;
  readonly name: string;
  /** Also while clients are still connected. */
  drop(): Promise<void>;
}

/**
 * A separate database, cloned from the migrated template: 40 ms, while migrating takes a second. It
 * copies files, which in memory takes half as long as writing every page to the log.
 */
export async function freshDatabase(server: DatabaseServer): Promise<FreshDatabase> {
  const name = `payonce_${randomBytes(8).toString('hex')}`;
  const template = server.templateDatabase ?? 'template0';
  await asAdmin(
    server,
    `CREATE DATABASE ${name} TEMPLATE ${pg.escapeIdentifier(template)} STRATEGY FILE_COPY`,
  );
  const url = new URL(server.postgresUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: () => asAdmin(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function asAdmin(server: DatabaseServer, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: server.postgresUrl });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
