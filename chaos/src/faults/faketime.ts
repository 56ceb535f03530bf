import { ensureFaketime, findFaketime, wrongClock } from '@payonce/tooling/faketime';
import type { App } from '../apps.js';
import { holdsWithin } from '../clock.js';
import type { Stage } from './fault.js';

const READY_LIMIT_MS = 15_000;
/** Of a file that says what time it is, in seconds. */
const READ_AGAIN_S = '1';

/** @returns why no clock can be bent here, or null */
export async function arrangeFaketime(): Promise<string | null> {
  return (await ensureFaketime()) === null ? "Debian's faketime is not installed" : null;
}

/** What tells a process a time that is so many seconds wrong. */
export function wrongBy(seconds: number): Record<string, string> {
  return wrongClock(library(), seconds);
}

/** The same, as a file says from moment to moment: `offset` writes it. */
export function wrongByFile(file: string): Record<string, string> {
  const { FAKETIME: _, ...env } = wrongBy(0);
  return { ...env, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: READ_AGAIN_S };
}

/** As libfaketime reads it in a file. */
export function offset(seconds: number): string {
  return `${seconds < 0 ? '' : '+'}${seconds}s`;
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

function library(): string {
  const found = findFaketime();
  if (found === null) throw new Error('faketime is gone');
  return found;
}
