import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A required program of the machine. */
export interface Program {
  /** Any of these; the first one found is used. */
  readonly names: readonly string[];
  /** Debian's packages, with their dependencies here. */
  readonly packages: readonly string[];
  readonly why: string;
  /** A service that the package starts by itself, and that nobody wants. */
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

export const FAKETIME: Program = {
  names: ['faketime'],
  packages: ['faketime'],
  why: 'processes are tested with a wrong clock',
};

/** What the tests need beside Node and the packages of npm, PostgreSQL among them. */
export const TEST_PROGRAMS: readonly Program[] = [REDIS, CHROMIUM, PGBOUNCER, FAKETIME];

/** Its path, or null: on the PATH, or where Debian keeps root's programs. */
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
