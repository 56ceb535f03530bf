import pg from 'pg';
import { databaseName, databaseOf, ensureQueueDatabase } from './database.js';
import { dropOldQueue, shutOut } from './old-queue.js';
import { ensureQueueRole } from './role.js';
import { DEFAULT_QUEUE_SCHEMA, prepareQueueSchema } from './schema.js';

export interface QueueSettings {
  /** As the owner of the orders; it also owns the database of the queue. */
  readonly databaseUrl: string;
  /** The database of the queue, with the queue's role and its password. */
  readonly queueDatabaseUrl: string;
  readonly queueSchema?: string | undefined;
  /** How many connections the queue's role may have; half of the server's if not given. */
  readonly queueConnections?: number | undefined;
  readonly log: (line: string) => void;
}

/**
 * Creates the queue's role, its database and BullMQ's tables there; running it again brings them up
 * to this release. The role is the public edge's only access to PostgreSQL.
 * @param client a session in the database of the orders, with CREATEROLE
 * @param inQueueDatabase opens a session as the owner in the database of the queue, and ends it
 */
export async function prepareQueue(
  client: pg.Client,
  settings: QueueSettings,
  inQueueDatabase: (url: string, work: (client: pg.Client) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { databaseUrl, queueDatabaseUrl, log } = settings;
  const schema = settings.queueSchema ?? DEFAULT_QUEUE_SCHEMA;
  const role = await ensureQueueRole(client, queueDatabaseUrl, settings.queueConnections);
  const name = databaseOf(queueDatabaseUrl);
  if ((await databaseName(client)) === name) {
    await prepareQueueSchema(client, role, schema);
    log(
      "the queue is in the database of the orders, where the gateway's role can take locks and connections; docs/scaling.md says how to give it a separate database",
    );
    return;
  }
  await ensureQueueDatabase(client, name);
  const url = new URL(databaseUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  await inQueueDatabase(url.href, (session) => prepareQueueSchema(session, role, schema));
  const old = await dropOldQueue(client, { schema, role });
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  // Workers drain the old queue as the owner, but gateways of the old setting need their access.
  const stays = old.state === 'stays';
  await shutOut(client, 'PUBLIC', ...(stays ? [] : [pg.escapeIdentifier(role)]));
  if (old.state === 'dropped') log('the old queue was empty, and is dropped');
  if (old.state === 'stays') log(`the old queue stays until workers have drained it: ${old.why}`);
}
