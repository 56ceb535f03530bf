/** `node prisma/dist/main.js`: migrates the database of DATABASE_URL, and the queue's when one is given. */
import { migrate } from './migrate.js';

const { DATABASE_URL, PAYONCE_QUEUE_DATABASE_URL, PAYONCE_QUEUE_SCHEMA } = process.env;

try {
  if (!DATABASE_URL) throw new Error('DATABASE_URL is not set');
  const { applied } = await migrate({
    databaseUrl: DATABASE_URL,
    queueDatabaseUrl: PAYONCE_QUEUE_DATABASE_URL,
    queueSchema: PAYONCE_QUEUE_SCHEMA,
  });
  console.log(applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`);
} catch (error) {
  console.error(`not migrated: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
