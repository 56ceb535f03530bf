import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { type OwnedProcess, stop } from '@payonce/testkit/machine/process';
import { type RunningApps, startApps } from './apps.js';
import { claim } from './run-file.js';
import { type LocalSecrets, localSecrets } from './secrets.js';
import { stopRequests } from './stop-requests.js';
import { type Stores, startStores } from './stores.js';

/** How long each may take to stop before SIGKILL; the worker finishes its running batches. */
const STOP_LIMIT_MS = { app: 20_000, redis: 15_000, postgres: 30_000 };

export interface Workdir {
  /** The repository. */
  readonly root: string;
  /** `.payonce`: data, logs, secrets and the run file of this clone. */
  readonly state: string;
}

export interface Running {
  readonly stores: Stores;
  readonly apps: RunningApps;
  readonly secrets: LocalSecrets;
}

/**
 * Owns every process of a local run: starts the stores and the apps, and calls `use`. It always
 * stops what it started, in reverse order (apps, Redis, PostgreSQL). It stops when `use` is done,
 * on SIGINT, SIGTERM or SIGHUP, and when a store or an app ends by itself. It also stops when this
 * process loses its parent (SIGTERM to npm kills npm alone).
 * @returns the exit code: the result of `use`; 1 when something ended by itself
 * @throws AlreadyRunning when this folder has a live run
 */
export async function supervise(
  workdir: Workdir,
  say: (line: string) => void,
  use: (running: Running) => Promise<number>,
): Promise<number> {
  const stopRequested = stopRequests();
  const runFile = await claim(workdir.state);
  const owned: OwnedProcess[] = [];
  const running = start(workdir, say, (one) => {
    owned.push(one);
    runFile.add(one.name, one.pid);
  });
  try {
    const ready = await Promise.race([running, stopRequested]);
    if (typeof ready === 'string') return stoppedBy(ready, say);
    const { gatewayUrl, consoleUrl, simulatorUrl, consumerUrl } = ready.apps;
    runFile.urls({
      gateway: gatewayUrl,
      console: consoleUrl,
      simulator: simulatorUrl,
      consumer: consumerUrl,
    });
    const used = use(ready);
    used.catch(() => {}); // its failure counts only if nothing ended before it
    const end = await Promise.race([used, stopRequested, firstEnd(owned)]);
    if (typeof end === 'number') return end;
    if (typeof end === 'string') return stoppedBy(end, say);
    const log = join(workdir.state, 'logs', `${end.name}.log`);
    say(`${end.name} ended by itself: everything stops. Its log: ${log}`);
    return 1;
  } finally {
    await stopAll(owned);
    // A stop in the middle of the start: lets it fail on missing parts, then stops the started
    // ones.
    await Promise.allSettled([running]);
    await stopAll(owned);
    runFile.remove();
  }
}

/** While the merchant's system is down, order events wait. */
function firstEnd(owned: readonly OwnedProcess[]): Promise<OwnedProcess> {
  const needed = owned.filter(({ name }) => name !== 'consumer');
  return Promise.race(needed.map((one) => one.exited.then(() => one)));
}

function stoppedBy(why: string, say: (line: string) => void): number {
  say(`stopping (${why}) …`);
  return 0;
}

async function start(
  workdir: Workdir,
  say: (line: string) => void,
  onSpawn: (owned: OwnedProcess) => void,
): Promise<Running> {
  const { root, state } = workdir;
  const { env } = process;
  keepPrivate(state);
  const secrets = localSecrets(state);
  say('starting PostgreSQL and the queue');
  const stores = await startStores({ state, secrets, env, onSpawn });
  say(`queue: ${stores.queueIs}`);
  await ensureSimulatedChannels(join(state, 'simulator'));
  say('starting gateway, worker, console, simulator, example consumer');
  const apps = await startApps({ root, state, stores, secrets, env, onSpawn });
  return { stores, apps, secrets };
}

/** Bodies of notifications hold data of buyers: in Redis's file, in logs, in the database. */
function keepPrivate(state: string): void {
  process.umask(0o077);
  for (const folder of ['logs', 'redis']) {
    mkdirSync(join(state, folder), { recursive: true });
    // It may be of an earlier release.
    chmodSync(join(state, folder), 0o700);
  }
  // Root's PostgreSQL runs as another user, who passes through.
  chmodSync(state, process.getuid?.() === 0 ? 0o711 : 0o700);
}

async function stopAll(owned: OwnedProcess[]): Promise<void> {
  for (let one = owned.pop(); one; one = owned.pop()) await stopOne(one);
}

async function stopOne(owned: OwnedProcess): Promise<void> {
  const { name } = owned;
  if (name === 'postgres') await stop(owned, 'SIGINT', STOP_LIMIT_MS.postgres);
  else await stop(owned, 'SIGTERM', name === 'redis' ? STOP_LIMIT_MS.redis : STOP_LIMIT_MS.app);
}
