import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import type { App } from '../apps.js';
import { holdsWithin } from '../clock.js';
import type { Stage } from './fault.js';

/** Debian puts it below the architecture's name. MT: Node has several threads. */
const LIBRARY = 'faketime/libfaketimeMT.so.1';
const INSTALL_LIMIT_MS = 120_000;
const READY_LIMIT_MS = 15_000;
/** Of a file that says what time it is, in seconds. */
const READ_AGAIN_S = '1';

/** What tells a process a wrong time: so many seconds wrong, or what a file says from moment to moment. */
export function wrongClock(time: number | { readonly file: string }): Record<string, string> {
  const library = findLibrary();
  if (library === null) throw new Error('faketime is gone');
  const told: Record<string, string> =
    typeof time === 'number'
      ? { FAKETIME: offset(time) }
      : { FAKETIME_TIMESTAMP_FILE: time.file, FAKETIME_CACHE_DURATION: READ_AGAIN_S };
  return {
    LD_PRELOAD: library,
    ...told,
    // Timers go on as they should: it is the calendar that is wrong.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** As libfaketime reads it. */
export function offset(seconds: number): string {
  return `${seconds < 0 ? '' : '+'}${seconds}s`;
}

/** @returns why no clock can be bent here, or null */
export async function arrangeFaketime(): Promise<string | null> {
  if (findLibrary() === null) await install();
  return findLibrary() === null ? "Debian's faketime is not installed" : null;
}

/** With SIGTERM: what is in hand is finished first. */
export async function restartWith(
  { cluster }: Stage,
  app: App,
  env: Readonly<Record<string, string>>,
  limitMs = READY_LIMIT_MS,
): Promise<void> {
  app.setEnv(env);
  await app.part.restart();
  await holdsWithin(limitMs, cluster.isReady);
}

function findLibrary(): string | null {
  for (const folder of ['/usr/lib', '/usr/lib64', '/usr/local/lib']) {
    if (!existsSync(folder)) continue;
    for (const below of ['', ...readdirSync(folder).filter((entry) => entry.includes('linux'))]) {
      const file = [folder, below, LIBRARY].filter(Boolean).join('/');
      if (existsSync(file)) return file;
    }
  }
  return null;
}

async function install(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const run = (...args: string[]) =>
    promisify(execFile)('apt-get', args, {
      timeout: INSTALL_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).catch(() => {});
  await run('update', '-qq');
  await run('install', '-y', '-qq', 'faketime');
}
