import { ensureFaketime, findFaketime, wrongClock } from '@payonce/tooling/faketime';
import type { App } from '../apps.js';
import { holdsWithin } from '../clock.js';
import type { Stage } from './fault.js';

const READY_LIMIT_MS = 15_000;

/** What tells a process a wrong time: so many seconds wrong, or what a file says from moment to moment. */
export function bentClock(time: number | { readonly file: string }): Record<string, string> {
  const library = findFaketime();
  if (library === null) throw new Error('faketime is gone');
  return wrongClock(library, time);
}

/** @returns why no clock can be bent here, or null */
export async function arrangeFaketime(): Promise<string | null> {
  return (await ensureFaketime()) === null ? "Debian's faketime is not installed" : null;
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
