/**
 * `node prisma/dist/main.js`: migrates the database of DATABASE_URL, and the queue's when one is
 * given.
 */
import { parseArgs } from 'node:util';
import { acknowledgeFailure, migrate, pendingMigrations } from './migrate.js';

const HELP = `node prisma/dist/main.js [--check | --rolled-back NAME]

Migrates the database of DATABASE_URL to this release, and exits. Run it before the first start and
after each update. Several runs at once take turns. With PAYONCE_QUEUE_DATABASE_URL it also creates the
queue's role, its database and its schema there (PAYONCE_QUEUE_SCHEMA). The role may have
PAYONCE_QUEUE_CONNECTIONS connections; half of the server's if that is not set.

  --check             lists what would be applied, and changes nothing; the exit code is 2 if there is something
  --rolled-back NAME  records that NAME failed and its cause is repaired: the next run applies NAME again
  --help              this text

The exit code is 0 when the database is up to date, and 1 when something went wrong.`;

const {
  DATABASE_URL,
  PAYONCE_QUEUE_CONNECTIONS,
  PAYONCE_QUEUE_DATABASE_URL,
  PAYONCE_QUEUE_SCHEMA,
} = process.env;

try {
  const { values } = parseArgs({
    options: {
      check: { type: 'boolean' },
      'rolled-back': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) console.log(HELP);
  else await run(values.check === true, values['rolled-back']);
} catch (error) {
  console.error(`not migrated: ${messageOf(error)}`);
  process.exitCode = 1;
}

async function run(check: boolean, rolledBack: string | undefined): Promise<void> {
  if (!DATABASE_URL) throw new Error('DATABASE_URL is not set (see --help)');
  if (rolledBack !== undefined) {
    await acknowledgeFailure(DATABASE_URL, rolledBack);
    console.log(`the next run applies ${rolledBack} again`);
  } else if (check) {
    const pending = await pendingMigrations({ databaseUrl: DATABASE_URL });
    console.log(pending.length === 0 ? 'up to date' : `would apply ${pending.join(', ')}`);
    if (pending.length > 0) process.exitCode = 2;
  } else {
    const { applied } = await migrate({
      databaseUrl: DATABASE_URL,
      queueDatabaseUrl: PAYONCE_QUEUE_DATABASE_URL,
      queueSchema: PAYONCE_QUEUE_SCHEMA,
      queueConnections: connections(PAYONCE_QUEUE_CONNECTIONS),
      log: (line) => console.error(line),
    });
    console.log(applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`);
  }
}

function connections(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error('PAYONCE_QUEUE_CONNECTIONS must be a whole number from 1 to 99999');
}

/** When all addresses of a host refuse, Node's error has no message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
