import { holdsWithin } from '@payonce/testkit/machine/poll';
import { ensureFaketime, findFaketime, wrongClock } from '@payonce/tooling/faketime';
import type { App } from '../cluster/app.js';
import type { FaultContext } from './fault.js';

const READY_LIMIT_MS = 15_000;

/**
 * Gives a process a wrong time: by a number of seconds, or as a file states from moment to moment.
 */
export function bentClock(time: number | { readonly file: string }): Record<string, string> {
  const library = findFaketime();
  if (library === null) throw new Error('faketime is gone');
  return wrongClock(library, time);
}

/** @returns why clocks cannot be changed here, or null */
export async function arrangeFaketime(): Promise<string | null> {
  return (await ensureFaketime()) === null ? "Debian's faketime is not installed" : null;
}

/** With SIGTERM: running work is finished first. */
export async function restartWith(
  { cluster }: FaultContext,
  app: App,
  env: Readonly<Record<string, string>>,
  limitMs = READY_LIMIT_MS,
): Promise<void> {
  app.setEnv(env);
  await app.process.restart();
  await holdsWithin(limitMs, cluster.isReady);
}
