import { migrate } from '@payonce/prisma/migrate';
import { makeTemplate } from '@payonce/testkit/stores/database';
import { startOwnPostgres } from '@payonce/testkit/stores/own-postgres';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
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

/** One PostgreSQL and one Redis for the whole run, on free ports. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startOwnPostgres();
  const redis = await startOwnRedis();
  const template = await makeTemplate(postgres.adminUrl, 'payonce_template', (databaseUrl) =>
    migrate({ databaseUrl }),
  );
  project.provide('postgresUrl', postgres.adminUrl);
  project.provide('templateDatabase', template);
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.remove();
    await postgres.remove();
  };
}
