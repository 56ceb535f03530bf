import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSimulatedChannels, type SimulatedSigners } from '@payonce/testkit/channels/channels';
import { startApp } from '@payonce/testkit/machine/app';
import { anyFreePort } from '@payonce/testkit/machine/ports';
import { killAll, stop } from '@payonce/testkit/machine/process';
import { startRedis } from '@payonce/testkit/stores/redis-server';
import { findProgram, REDIS } from '@payonce/tooling/programs';
import { Redis } from 'ioredis';

/** A probe's limit is a second or two; the machine may be busy with our requests and other work. */
const ALIVE_LIMIT_MS = 5_000;
const STOP_LIMIT_MS = 15_000;

/** A gateway as deployed, with a separate Redis. */
export interface FuzzedGateway {
  readonly pid: number;
  readonly port: number;
  readonly signers: SimulatedSigners;
  /** Null while it runs. */
  readonly ended: () => string | null;
  /** Milliseconds until it reported that it is alive. @throws when it does not in time */
  isAlive(): Promise<number>;
  /** Job IDs and jobs in the queue, for channels with this prefix; then empties the queue. */
  takeJobs(prefix: string): Promise<Map<string, unknown>>;
  /** Its error log lines. */
  errors(): readonly string[];
  end(): Promise<void>;
}

export async function startFuzzedGateway(root: string, folder: string): Promise<FuzzedGateway> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { channelsFile, signers } = await ensureSimulatedChannels(join(folder, 'simulator'));
  addOwnChannels(channelsFile);
  const redis = await startRedis({
    server: findProgram(REDIS, process.env.PATH ?? ''),
    folder: join(folder, 'redis'),
    port: await anyFreePort(),
    logFile: join(folder, 'redis.log'),
  });
  const owned = [redis.process];
  const atExit = () => killAll(owned);
  process.once('exit', atExit);
  const queue = new Redis(redis.url, { lazyConnect: true });
  const end = async () => {
    queue.disconnect();
    for (const one of owned.toReversed()) await stop(one, 'SIGTERM', STOP_LIMIT_MS);
    process.removeListener('exit', atExit);
  };
  try {
    await queue.connect();
    const logFile = join(folder, 'gateway.log');
    const gateway = await startApp({
      name: 'gateway',
      main: join(root, 'apps', 'gateway', 'dist', 'main.js'),
      cwd: root,
      env: {
        PAYONCE_CHANNELS_FILE: channelsFile,
        // Every request must be read, however many are refused.
        PAYONCE_GATEWAY_REFUSED_PER_MINUTE: '0',
        REDIS_URL: redis.url,
        // A log line for each refusal would dominate the measurement.
        PAYONCE_LOG_LEVEL: 'warn',
      },
      logFile,
      onSpawn: (one) => owned.push(one),
    });
    let ended: string | null = null;
    gateway.owned.exited.then(({ code, signal }) => {
      ended = signal ?? `exit code ${code}`;
    });
    return {
      pid: gateway.owned.pid,
      port: gateway.port,
      signers,
      ended: () => ended,
      isAlive: () => isAlive(gateway.privateUrl),
      takeJobs: (prefix) => takeJobs(queue, prefix),
      errors: () => errorsIn(logFile),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function isAlive(privateUrl: string): Promise<number> {
  const askedAt = performance.now();
  const signal = AbortSignal.timeout(ALIVE_LIMIT_MS);
  const { ok } = await fetch(`${privateUrl}/livez`, { signal });
  if (!ok) throw new Error('the gateway says that it is stuck');
  return performance.now() - askedAt;
}

/** Repeats `sim-…` as `own-…`. */
function addOwnChannels(channelsFile: string): void {
  const [, ...channels] = readFileSync(channelsFile, 'utf8').split('\n');
  const own = channels.map((line) => line.replace(/^ {2}sim-/, '  own-'));
  appendFileSync(channelsFile, own.join('\n'));
}

function errorsIn(logFile: string): string[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => /"level":"(?:error|fatal)"/.test(line) || /^\s+at /.test(line));
}

/** BullMQ keeps each job in a hash, with its data as JSON. */
async function takeJobs(queue: Redis, prefix: string): Promise<Map<string, unknown>> {
  const jobs = new Map<string, unknown>();
  const root = 'payonce:notifications:';
  for (let cursor = '0'; ; ) {
    const [next, keys] = await queue.scan(cursor, 'MATCH', `${root}*.${prefix}*`, 'COUNT', 1_000);
    for (const key of keys) {
      jobs.set(key.slice(root.length), JSON.parse((await queue.hget(key, 'data')) ?? 'null'));
    }
    if (next === '0') break;
    cursor = next;
  }
  await queue.flushdb();
  return jobs;
}

/** Keeps a failing request for inspection. */
export function keepFailure(folder: string, name: string, bytes: Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
}
