import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@payonce/prisma/migrate';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { startRedis } from '@payonce/testkit/stores/redis-server';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { findProgram, REDIS } from '@payonce/tooling/programs';
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
  const postgres = await startOwnPostgres();
  const redis = await startRedis({
    server: findProgram(REDIS, process.env.PATH ?? ''),
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
    await postgres.remove();
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
