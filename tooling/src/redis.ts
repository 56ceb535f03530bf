import { mkdirSync, openSync } from 'node:fs';
import { Redis } from 'ioredis';
import { endedAtStart, type OwnedProcess, own, stop, until } from './process.js';
import { findProgram, REDIS } from './programs.js';

/** The first redis-server or valkey-server on the PATH, or null. */
export function findRedisServer(path: string): string | null {
  return findProgram(REDIS, path);
}

export interface RunningRedis {
  readonly url: string;
  readonly pid: number;
  readonly process: OwnedProcess;
  stop(): Promise<void>;
}

/**
 * A Redis that acknowledges nothing before it is on disk: AOF with `appendfsync always`, also
 * during an AOF rewrite, and `noeviction`. On 127.0.0.1 only.
 */
export async function startRedis(options: {
  readonly server: string;
  readonly folder: string;
  readonly port: number;
  readonly logFile: string;
  /** Called as soon as the process exists, long before it answers. */
  readonly onSpawn?: (owned: OwnedProcess) => void;
}): Promise<RunningRedis> {
  mkdirSync(options.folder, { recursive: true });
  const settings = {
    bind: '127.0.0.1',
    port: String(options.port),
    dir: options.folder,
    appendonly: 'yes',
    appendfsync: 'always',
    'no-appendfsync-on-rewrite': 'no',
    'maxmemory-policy': 'noeviction',
    save: '',
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const owned = own('redis', options.server, args, { output: openSync(options.logFile, 'a') });
  options.onSpawn?.(owned);
  const url = `redis://127.0.0.1:${options.port}`;
  let ended = false;
  owned.exited.then(() => {
    ended = true;
  });
  await until(`Redis on port ${options.port} (log: ${options.logFile})`, 20_000, () => {
    if (ended) throw endedAtStart('Redis', options.logFile);
    return answers(url);
  });
  return {
    url,
    pid: owned.pid,
    process: owned,
    stop: async () => {
      await stop(owned, 'SIGTERM', 10_000);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
