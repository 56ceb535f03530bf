import { existsSync, readdirSync } from 'node:fs';
import { ensurePrograms } from './ensure-programs.js';
import { FAKETIME } from './programs.js';

/** Debian's path contains the architecture's name. MT: Node has several threads. */
const LIBRARY = 'faketime/libfaketimeMT.so.1';

/** The library that changes a process's clock, installed if this user may; null without one. */
export async function ensureFaketime(): Promise<string | null> {
  if (findFaketime() === null) await ensurePrograms([FAKETIME]);
  return findFaketime();
}

export function findFaketime(): string | null {
  for (const folder of ['/usr/lib', '/usr/lib64', '/usr/local/lib']) {
    if (!existsSync(folder)) continue;
    for (const below of ['', ...readdirSync(folder).filter((entry) => entry.includes('linux'))]) {
      const file = [folder, below, LIBRARY].filter(Boolean).join('/');
      if (existsSync(file)) return file;
    }
  }
  return null;
}

/** For a file that states the time, in seconds. */
const READ_AGAIN_S = '1';

/**
 * The environment of a process with a wrong calendar, by a number of seconds or as a file states
 * from moment to moment (`offset`). Its timers run normally.
 */
export function wrongClock(
  library: string,
  time: number | { readonly file: string },
): Record<string, string> {
  const told: Record<string, string> =
    typeof time === 'number'
      ? { FAKETIME: offset(time) }
      : { FAKETIME_TIMESTAMP_FILE: time.file, FAKETIME_CACHE_DURATION: READ_AGAIN_S };
  return {
    LD_PRELOAD: library,
    ...told,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** In libfaketime's format. */
export function offset(seconds: number): string {
  return `${seconds < 0 ? '' : '+'}${seconds}s`;
}
