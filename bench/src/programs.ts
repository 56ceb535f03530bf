import { join } from 'node:path';
import { startApp } from '@payonce/testkit/machine/app';
import { outputOf } from '@payonce/testkit/machine/output';
import { type OwnedProcess, ownProgram, statusOf, stop } from '@payonce/testkit/machine/process';
import type { LoadResult, LoadSpec } from './load/spec.js';
import { CONCURRENCY } from './scale.js';
import type { Target } from './stores.js';

/** A measured process. */
export interface Running {
  readonly origin: string;
  stop(): Promise<void>;
}

export interface ProgramsOptions {
  readonly root: string;
  readonly logs: string;
  readonly channelsFile: string;
  readonly onSpawn: (owned: OwnedProcess) => void;
}

/** What a load must be told; the rest has defaults. */
type LoadRequest = Pick<LoadSpec, 'origin' | 'file' | 'warmMs' | 'measureMs'> & Partial<LoadSpec>;

export type Programs = ReturnType<typeof openPrograms>;

/** Longer than the worker's limit for its last batches. */
const STOP_LIMIT_MS = 20_000;

/** Starts compiled programs: payonce's as deployed, and the ones that it is compared with. */
export function openPrograms(options: ProgramsOptions) {
  const { root, logs } = options;

  async function start(
    name: string,
    program: string,
    env: Readonly<Record<string, string>>,
    isReady?: (url: string) => Promise<boolean>,
  ): Promise<Running> {
    const { owned, url } = await startApp({
      name,
      main: join(root, program),
      cwd: root,
      env: { PAYONCE_CHANNELS_FILE: options.channelsFile, ...env },
      logFile: join(logs, `${name}.log`),
      onSpawn: options.onSpawn,
      ...(isReady && { isReady }),
    });
    return {
      origin: url,
      stop: async () => void (await stop(owned, 'SIGTERM', STOP_LIMIT_MS)),
    };
  }

  /** A compared program is ready as soon as it answers anything. */
  const listens = async (url: string) => (await statusOf(url)) !== null;

  return {
    gateway: (target: Target, queue: 'redis' | 'postgres') =>
      start('gateway', 'apps/gateway/dist/main.js', { ...queueEnv(target), PAYONCE_QUEUE: queue }),
    worker: (target: Target) => start('worker', 'apps/worker/dist/main.js', envOf(target)),
    /** A server of `variants/`. */
    server: (name: string, target: Target, env: Readonly<Record<string, string>> = {}) =>
      start(name, `bench/dist/variants/${name}.js`, { ...envOf(target), ...env }, listens),
    /** A worker of `variants/`, which listens nowhere: it works when jobs disappear. */
    consumer: (name: string, target: Target, env: Readonly<Record<string, string>> = {}) =>
      start(name, `bench/dist/variants/${name}.js`, { ...envOf(target), ...env }, async () => true),
    /** Sends, and counts replies. */
    load: (spec: LoadRequest) => runLoad(options, spec),
  };
}

function queueEnv(target: Target): Record<string, string> {
  return { REDIS_URL: target.redisUrl, PAYONCE_QUEUE_DATABASE_URL: target.queueDatabaseUrl };
}

function envOf(target: Target): Record<string, string> {
  return { ...queueEnv(target), DATABASE_URL: target.databaseUrl };
}

async function runLoad({ root, onSpawn }: ProgramsOptions, spec: LoadRequest): Promise<LoadResult> {
  const whole: LoadSpec = {
    connections: CONCURRENCY,
    order: 'distinct',
    ratePerSecond: null,
    ...spec,
  };
  const { child } = ownProgram({
    name: 'load',
    main: join(root, 'bench/dist/load/main.js'),
    args: [JSON.stringify(whole)],
    cwd: root,
    output: 'pipe',
    onSpawn,
  });
  const { stdout, stderr, ended } = outputOf(child);
  await ended;
  if (stdout() === '') throw new Error(`the load generator ended without a result:\n${stderr()}`);
  return JSON.parse(stdout()) as LoadResult;
}
