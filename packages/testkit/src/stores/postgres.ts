import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnedProcess, own, stop, untilReady } from '../machine/process.js';
import { type PostgresHome, postgresHome } from './postgres-binaries.js';
import { query } from './sessions.js';

export interface RunningPostgres {
  /** Superuser URL of the maintenance database. */
  readonly adminUrl: string;
  readonly process: OwnedProcess;
  /** The data folder; not always below `folder` (see `postgresHome`). */
  readonly data: string;
  stop(): Promise<void>;
}

/**
 * An embedded PostgreSQL on 127.0.0.1: `initdb` at first, then `postgres` itself. (The package's
 * class would end this process on a signal before it has drained.) PostgreSQL's defaults are
 * durable: `fsync=on`, `synchronous_commit=on`.
 * @param options.password kept by the caller between starts
 */
export async function startPostgres(options: {
  readonly folder: string;
  readonly port: number;
  readonly password: string;
  readonly logFile: string;
  /** In addition to the settings of every start, or instead of them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called as soon as the process exists, long before it answers. */
  readonly onSpawn?: (owned: OwnedProcess) => void;
}): Promise<RunningPostgres> {
  const home = postgresHome(options.folder);
  if (!existsSync(join(home.data, 'PG_VERSION'))) initialise(home, options.password);
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    max_connections: '120',
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const owned = own(
    'postgres',
    join(home.binaries, 'bin', 'postgres'),
    ['-D', home.data, ...args],
    {
      cwd: home.data,
      output: { appendTo: options.logFile },
      ...(home.uid === undefined ? {} : { uid: home.uid }),
      ...(home.gid === undefined ? {} : { gid: home.gid }),
    },
  );
  options.onSpawn?.(owned);
  const adminUrl = `postgresql://payonce_admin:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/postgres`;
  await untilReady(owned, options.logFile, 60_000, () => answers(adminUrl));
  return {
    adminUrl,
    process: owned,
    data: home.data,
    stop: async () => {
      // SIGINT is PostgreSQL's "fast" shutdown: it ends sessions and writes a checkpoint.
      await stop(owned, 'SIGINT', 30_000);
    },
  };
}

function initialise(home: PostgresHome, password: string): void {
  mkdirSync(home.data, { recursive: true, mode: 0o700 });
  const passwordFile = `${home.data}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (home.uid !== undefined && home.gid !== undefined) chownSync(passwordFile, home.uid, home.gid);
  try {
    execFileSync(
      join(home.binaries, 'bin', 'initdb'),
      [
        '-D',
        home.data,
        '-U',
        'payonce_admin',
        '-A',
        'scram-sha-256',
        '-E',
        'UTF8',
        '--locale=C',
      ].concat([`--pwfile=${passwordFile}`]),
      {
        stdio: 'pipe',
        ...(home.uid === undefined ? {} : { uid: home.uid }),
        ...(home.gid === undefined ? {} : { gid: home.gid }),
      },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

const answers = (url: string) =>
  query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
