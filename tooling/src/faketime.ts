import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';

/** Debian puts it below the architecture's name. MT: Node has several threads. */
const LIBRARY = 'faketime/libfaketimeMT.so.1';
const INSTALL_LIMIT_MS = 120_000;

/** The library that bends a process's clock, installed where this user may; null where there is none. */
export async function ensureFaketime(): Promise<string | null> {
  if (findFaketime() === null) await install();
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

/** The environment of a process whose calendar is wrong by so many seconds; its timers go on as they should. */
export function wrongClock(library: string, seconds: number): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME: `${seconds > 0 ? '+' : ''}${seconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
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
