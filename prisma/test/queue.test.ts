import { randomBytes } from 'node:crypto';
import { eventually } from '@payonce/testkit/machine/poll';
import { inSession, openSession, urlOf } from '@payonce/testkit/stores/sessions';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../migrate.js';
import { dropOldQueue } from '../queue/old-queue.js';
import { database, query } from './migration-support.js';

const postgresUrl = inject('postgresUrl');
const PASSWORD = "it's$ecret";

/** A migrated database of orders with a queue, in a separate database unless it is an old one. */
async function installation({
  shared = false,
  ...options
}: {
  readonly shared?: boolean;
  readonly queueConnections?: number;
} = {}) {
  const orders = await database('migrated');
  const role = `queue_${randomBytes(6).toString('hex')}`;
  const name = shared ? orders.name : role;
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const queueUrl = (of: string, password = PASSWORD) =>
    urlOf(postgresUrl, of, [role, encodeURIComponent(password)]);
  const run = (queueDatabaseUrl: string) =>
    migrate({ databaseUrl: orders.url, queueDatabaseUrl, log, ...options });
  onTestFinished(async () => {
    await query(postgresUrl, `DROP DATABASE IF EXISTS ${role} WITH (FORCE)`);
    await query(orders.url, `DROP OWNED BY ${role}`);
    await query(postgresUrl, `DROP ROLE ${role}`);
  });
  await run(queueUrl(name));
  return {
    orders,
    role,
    lines,
    queueUrl,
    run,
    url: queueUrl(name),
    owner: urlOf(postgresUrl, name),
  };
}

const DENIED = /permission denied/;

describe.each([{ shared: false }, { shared: true }])("the queue's role (%o)", (layout) => {
  test('uses the tables of its schema and a temporary table, as BullMQ does', async () => {
    const { url } = await installation(layout);
    const rows = await query(url, 'SELECT count(*)::int AS n FROM payonce_queue.migration');
    expect(rows).toEqual([{ n: expect.any(Number) }]);
    await query(url, 'CREATE TEMPORARY TABLE of_one_bulk (id int)');
    const name = await query(url, `SELECT payonce_queue.next_job_id('notifications') AS id`);
    expect(name).toEqual([{ id: '1' }]);
  });

  test('sees no order, and creates, truncates and upgrades nothing', async () => {
    const { url } = await installation(layout);
    for (const statement of [
      'SELECT * FROM public.orders',
      'DELETE FROM public.facts',
      'SELECT * FROM public._prisma_migrations',
      'CREATE TABLE public.mine (id int)',
      'CREATE SCHEMA mine',
      'CREATE TABLE payonce_queue.mine (id int)',
      'CREATE SEQUENCE payonce_queue.mine',
      'CREATE FUNCTION payonce_queue.max(numeric) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
      `INSERT INTO payonce_queue.migration VALUES (99, 'x', 99, now())`,
      'UPDATE payonce_queue.migration SET min_client_version = 99',
      'DELETE FROM payonce_queue.migration',
      'TRUNCATE payonce_queue.job',
      'CREATE DATABASE mine',
    ]) {
      await expect(query(url, statement), statement).rejects.toThrow(
        /permission denied|does not exist/,
      );
    }
  });

  test('has no more connections than its limit', async () => {
    const { url } = await installation({ ...layout, queueConnections: 2 });
    await inSession(url, () =>
      inSession(url, () =>
        expect(openSession(url)).rejects.toThrow(/too many connections for role/),
      ),
    );
  });

  test('has half of the connections of the server unless told otherwise', async () => {
    const { role } = await installation(layout);
    const limits = await query(
      postgresUrl,
      `SELECT rolconnlimit AS is, current_setting('max_connections')::int / 2 AS wanted
       FROM pg_roles WHERE rolname = '${role}'`,
    );
    expect(limits[0]?.is).toBe(limits[0]?.wanted);
  });

  test('gets a new password at the next migration, which keeps the jobs', async () => {
    const { url, owner, queueUrl, run } = await installation(layout);
    await addJob(owner, 'kept', 'waiting');
    const renewed = queueUrl(new URL(url).pathname.slice(1), 'another');
    await run(renewed);
    expect(await query(renewed, 'SELECT id FROM payonce_queue.job')).toEqual([{ id: 'kept' }]);
    await expect(query(url, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });
});

describe('a queue in a separate database', () => {
  test("its role cannot connect to the orders' database", async () => {
    const { orders, queueUrl } = await installation();
    await expect(query(queueUrl(orders.name), 'SELECT 1')).rejects.toThrow(DENIED);
  });

  test('an advisory lock of its role keeps nobody in the database of the orders waiting', async () => {
    const { url, orders } = await installation();
    await inSession(url, async (hostile) => {
      await hostile.query('SELECT pg_advisory_lock(1), pg_advisory_lock(1, 2)');
      const taken = await query(
        orders.url,
        'SELECT pg_try_advisory_lock(1) AS one, pg_try_advisory_lock(1, 2) AS two',
      );
      expect(taken).toEqual([{ one: true, two: true }]);
    });
  });

  test('an owner who may not create it gets the statement to run, and then goes on', async () => {
    const { url, name } = await database('empty');
    const { owner, as } = await plainOwner(name);
    const role = `queue_${randomBytes(6).toString('hex')}`;
    const queueDatabaseUrl = urlOf(postgresUrl, role, [role, 'x']);
    const run = () => migrate({ databaseUrl: as, queueDatabaseUrl });
    const said = await run().then(
      () => '',
      (error: Error) => error.message,
    );
    const statement = /^ {2}(CREATE DATABASE .*;)$/m.exec(said)?.[1] ?? '';
    expect(statement).toBe(`CREATE DATABASE "${role}" OWNER "${owner}" TEMPLATE template0;`);
    await query(postgresUrl, statement);
    onTestFinished(async () => {
      await query(postgresUrl, `DROP DATABASE ${role} WITH (FORCE)`);
      await query(url, `DROP OWNED BY ${role}`);
      await query(postgresUrl, `DROP ROLE ${role}`);
    });
    await run();
    expect(await query(queueDatabaseUrl, 'SELECT id FROM payonce_queue.job')).toEqual([]);
    expect((await run()).applied).toEqual([]);
  });

  test("another role's database is refused, with the statement that gives it away", async () => {
    const { name } = await database('empty');
    const other = await database('empty');
    const { owner, as } = await plainOwner(name);
    const queueDatabaseUrl = urlOf(postgresUrl, other.name, [`${other.name}_role`, 'x']);
    onTestFinished(async () => {
      await query(postgresUrl, `DROP ROLE IF EXISTS ${other.name}_role`);
    });
    await expect(migrate({ databaseUrl: as, queueDatabaseUrl })).rejects.toThrow(
      `ALTER DATABASE "${other.name}" OWNER TO "${owner}";`,
    );
  });

  test('the role that owns the orders is refused as the role of the queue', async () => {
    const { url } = await database('migrated');
    const withPassword = new URL(url);
    withPassword.password ||= 'x';
    await expect(
      migrate({ databaseUrl: url, queueDatabaseUrl: withPassword.href }),
    ).rejects.toThrow(/a separate role/);
  });
});

describe('the old queue, in the database of the orders', () => {
  test('a migration says that the queue can have a separate database', async () => {
    const { lines } = await installation({ shared: true });
    expect(lines.join('\n')).toContain('the queue is in the database of the orders');
  });

  test('stays while a job is left in it, and no job is copied', async () => {
    const { orders, role, queueUrl, run, lines } = await installation({ shared: true });
    await addJob(orders.url, 'left', 'failed');
    await run(queueUrl(role));
    expect(lines.at(-1)).toContain('1 jobs are left in it');
    expect(await query(orders.url, 'SELECT id FROM payonce_queue.job')).toHaveLength(1);
    expect(await query(queueUrl(role), 'SELECT id FROM payonce_queue.job')).toEqual([]);
  });

  test('stays while a process with the old address is connected', async () => {
    const { orders, role, queueUrl, run, lines } = await installation({ shared: true });
    await inSession(queueUrl(orders.name), () => run(queueUrl(role)));
    expect(lines.at(-1)).toContain('still use it');
  });

  test('goes when it is empty, and with it the access of the role', async () => {
    const { orders, role, queueUrl, run, lines } = await installation({ shared: true });
    await addJob(orders.url, 'done', 'completed');
    await run(queueUrl(role));
    expect(lines.at(-1)).toBe('the old queue was empty, and is dropped');
    await expect(query(queueUrl(orders.name), 'SELECT 1')).rejects.toThrow(DENIED);
    const left = await query(
      orders.url,
      `SELECT 1 FROM pg_namespace WHERE nspname = 'payonce_queue'`,
    );
    expect(left).toEqual([]);
  });

  test('a job that is added while it is looked at is seen, and it stays', async () => {
    const { orders, role, owner } = await installation({ shared: true });
    const adding = await openSession(owner);
    onTestFinished(() => adding.end());
    await adding.query('BEGIN');
    await adding.query(JOB, ['late', 'waiting']);
    const looking = inSession(orders.url, (client) =>
      dropOldQueue(client, { schema: 'payonce_queue', role }),
    );
    await eventually(async () => {
      const [waiting] = await query(
        postgresUrl,
        `SELECT 1 FROM pg_locks WHERE NOT granted AND database =
          (SELECT oid FROM pg_database WHERE datname = '${orders.name}')`,
      );
      return waiting !== undefined;
    });
    await adding.query('COMMIT');
    expect(await looking).toEqual({ state: 'stays', why: '1 jobs are left in it' });
  });
});

const JOB = `INSERT INTO payonce_queue.job (queue, id, seq, name, state, added_at_ms)
  VALUES ('notifications', $1, 1, 'x', $2, 0)`;

async function addJob(url: string, id: string, state: string): Promise<void> {
  await inSession(url, (session) => session.query(JOB, [id, state]));
}

/** A role that may create roles and owns this database, and is no superuser. */
async function plainOwner(databaseName: string) {
  const owner = `owner_${randomBytes(6).toString('hex')}`;
  await query(postgresUrl, `CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD 'x'`);
  await query(postgresUrl, `ALTER DATABASE ${databaseName} OWNER TO ${owner}`);
  const own = urlOf(postgresUrl, databaseName);
  onTestFinished(async () => {
    await query(postgresUrl, `ALTER DATABASE ${databaseName} OWNER TO CURRENT_USER`);
    await query(own, `DROP OWNED BY ${owner} CASCADE`);
    await query(postgresUrl, `DROP ROLE ${owner}`);
  });
  return { owner, as: urlOf(postgresUrl, databaseName, [owner, 'x']) };
}
