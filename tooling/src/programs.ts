import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of the machine that something here cannot do without. */
export interface Program {
  /** Whichever is found first will do. */
  readonly names: readonly string[];
  /** Debian's, with what belongs to it. */
  readonly packages: readonly string[];
  readonly why: string;
  /** A service that the package starts by itself, and that nobody asked for. */
  readonly service?: string;
}

export const REDIS: Program = {
  names: ['redis-server', 'valkey-server'],
  packages: ['redis-server'],
  why: 'the tests need a real Redis',
  service: 'redis-server',
};

export const CHROMIUM: Program = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  // A font with Chinese characters: without one the screenshots of the Chinese pages show boxes.
  packages: ['chromium', 'fonts-wqy-microhei'],
  why: 'the console is tested in a real browser',
};

export const PGBOUNCER: Program = {
  names: ['pgbouncer'],
  packages: ['pgbouncer'],
  why: 'the database is tested behind it too',
  service: 'pgbouncer',
};

/** Where it is, or null: on the PATH, or where Debian keeps what only root looks for. */
export function findProgram({ names }: Program, path: string): string | null {
  for (const name of names) {
    for (const folder of [...path.split(delimiter).filter(Boolean), '/usr/sbin']) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not in this folder.
      }
    }
  }
  return null;
}
