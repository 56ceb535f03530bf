import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MigrationRefused } from './refused.js';

/** The package's folder, from its source and from its `dist`. */
export const packageFolder = new URL(
  import.meta.url.endsWith('/dist/migrations.js') ? '../' : './',
  import.meta.url,
);

const ownFolder = new URL('migrations/', packageFolder);

/**
 * The first line of a file whose single statement PostgreSQL refuses to run inside a transaction.
 */
export const OUTSIDE_MARKER = '-- outside a transaction';

export interface Migration {
  /** The folder's name; it begins with a time, so names sort by age. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hex: the form that Prisma stores. */
  readonly checksum: string;
  /**
   * Checksums that count as equal: git may have changed the line ends, and Prisma allows that too.
   */
  readonly checksums: readonly string[];
  readonly outsideTransaction: boolean;
}

/** Names of this release's migrations, oldest first: a migrated database has the last of them. */
export function knownMigrations(folder: URL = ownFolder): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    .sort();
}

/**
 * The migrations of a folder, oldest first.
 * @throws MigrationRefused when a migration has no `migration.sql`
 */
export async function readMigrations(folder: URL = ownFolder): Promise<readonly Migration[]> {
  return Promise.all(knownMigrations(folder).map((name) => readMigration(folder, name)));
}

async function readMigration(folder: URL, name: string): Promise<Migration> {
  const file = new URL(`${name}/migration.sql`, folder);
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new MigrationRefused(
      `the migration ${name} has no migration.sql. Copy prisma/migrations from the release again.`,
    );
  });
  const sql = bytes.toString('utf8');
  const unix = sql.replaceAll('\r\n', '\n');
  return {
    name,
    sql,
    checksum: sha256(bytes),
    checksums: [bytes, unix, unix.replaceAll('\n', '\r\n')].map(sha256),
    outsideTransaction: unix.split('\n', 1)[0] === OUTSIDE_MARKER,
  };
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
