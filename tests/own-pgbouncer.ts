import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@payonce/testkit/machine/poll';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import { own, stop } from '@payonce/testkit/machine/process';
import { unprivilegedUser } from '@payonce/testkit/stores/postgres-binaries';
import { query } from '@payonce/testkit/stores/sessions';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { findProgram, PGBOUNCER } from '@payonce/tooling/programs';

/** A PgBouncer in transaction mode before a PostgreSQL server. */
export interface OwnPgBouncer {
  /** The same database, reached through it. */
  through(databaseUrl: string): string;
  /** Rows of its `SHOW clients`, `SHOW servers`, … that belong to a database. */
  show(what: 'clients' | 'servers', databaseUrl: string): Promise<number>;
  remove(): Promise<void>;
}

/** @param poolSize its connections to the server, for one database and user */
export async function startOwnPgBouncer(
  postgresUrl: string,
  poolSize: number,
): Promise<OwnPgBouncer> {
  const program = findProgram(PGBOUNCER, process.env.PATH ?? '');
  if (program === null) throw new Error('no pgbouncer on the PATH: install one');
  const server = new URL(postgresUrl);
  const folder = storeFolder('pgbouncer');
  const port = await anyFreePort();
  const user = process.getuid?.() === 0 ? unprivilegedUser() : {};
  const users = join(folder, 'users.txt');
  const config = join(folder, 'pgbouncer.ini');
  writeFileSync(users, `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  writeFileSync(
    config,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = ${poolSize}
auth_type = scram-sha-256
auth_file = ${users}
admin_users = ${server.username}
`,
  );
  // The user that it runs as reads them; the password is for this run alone.
  chmodSync(folder, 0o755);
  const running = own('pgbouncer', program, [config], { output: 'ignore', ...user });
  const at = (databaseUrl: string, database?: string) => {
    const url = new URL(databaseUrl);
    url.port = String(port);
    if (database) url.pathname = `/${database}`;
    return url.href;
  };
  const show = async (what: string, databaseUrl: string): Promise<number> => {
    const console = at(postgresUrl, 'pgbouncer');
    const rows = await query<{ database: string }>(console, `SHOW ${what}`);
    const name = new URL(databaseUrl).pathname.slice(1);
    return rows.filter(({ database }) => database === name).length;
  };
  await eventually(() => show('servers', postgresUrl), 10_000);
  return {
    through: (databaseUrl) => at(databaseUrl),
    show,
    async remove() {
      await stop(running, 'SIGTERM', 5_000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
