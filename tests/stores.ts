import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { storeFolder } from '@payonce/testkit/store-folder';
import { anyFreePort } from '@payonce/tooling/ports';
import { startPostgres } from '@payonce/tooling/postgres';
import { findRedisServer, startRedis } from '@payonce/tooling/redis';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the maintenance database. */
    postgresUrl: string;
    /** Name of the migrated database from which test databases are cloned. */
    templateDatabase: string;
    redisUrl: string;
  }
}

const TEMPLATE = 'payonce_template';

/**
 * One PostgreSQL and one Redis for the whole run, on free ports, in a folder that is removed at its
 * end.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = storeFolder('test');
  const server = findRedisServer(process.env.PATH ?? '');
  if (server === null) throw new Error('no redis-server or valkey-server on the PATH: install one');
  const password = randomBytes(16).toString('hex');
  const postgres = await startPostgres({
    folder: join(folder, 'postgres'),
    port: await anyFreePort(),
    password,
    logFile: join(folder, 'postgres.log'),
  });
  const redis = await startRedis({
    server,
    folder: join(folder, 'redis'),
    port: await anyFreePort(),
    logFile: join(folder, 'redis.log'),
  });
  await makeTemplate(postgres.adminUrl);
  project.provide('postgresUrl', postgres.adminUrl);
  project.provide('templateDatabase', TEMPLATE);
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    await postgres.stop();
    rmSync(postgres.data, { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Cloning needs a template without connections. */
async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrate({ databaseUrl: url.href });
  await admin.query(`ALTER DATABASE ${TEMPLATE} ALLOW_CONNECTIONS false`);
  await admin.end();
}
