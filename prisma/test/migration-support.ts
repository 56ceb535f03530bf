import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freshDatabase } from '@payonce/testkit/stores/database';
import { openSession } from '@payonce/testkit/stores/sessions';
import type pg from 'pg';
import { inject, onTestFinished } from 'vitest';

export { query } from '@payonce/testkit/stores/sessions';

/** A separate database for one test. */
export async function database(kind: 'empty' | 'migrated') {
  const templateDatabase = kind === 'migrated' ? inject('templateDatabase') : null;
  const fresh = await freshDatabase({ postgresUrl: inject('postgresUrl'), templateDatabase });
  onTestFinished(fresh.drop);
  return fresh;
}

/** A session that stays until the test ends, for transactions that hold locks. */
export async function session(url: string, applicationName: string): Promise<pg.Client> {
  const client = await openSession(url, { application_name: applicationName });
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'payonce-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A migrations folder with one file per name. */
export async function folderOf(files: Readonly<Record<string, string | Buffer>>): Promise<URL> {
  const folder = pathToFileURL(`${await temporaryFolder()}/`);
  await writeFile(new URL('migration_lock.toml', folder), 'provider = "postgresql"\n');
  for (const [name, sql] of Object.entries(files)) await addTo(folder, name, sql);
  return folder;
}

export async function addTo(folder: URL, name: string, sql: string | Buffer): Promise<void> {
  await mkdir(new URL(name, folder));
  await writeFile(new URL(`${name}/migration.sql`, folder), sql);
}
