import { join } from 'node:path';
import { ensureSimulatedChannels } from '@payonce/testkit/channels';
import { declareEndpoint } from '@payonce/testkit/endpoint';
import { takePort } from '@payonce/testkit/ports';
import { isOk, type OwnedProcess } from '@payonce/testkit/process';
import type { LocalSecrets } from '@payonce/tooling/secrets';
import type { Stores } from '@payonce/tooling/stores';
import type { Arrival, StoreAdd } from '../history/history.js';
import { addRival } from '../workload/rival.js';
import { type App, app } from './app.js';
import { startConsumer } from './consumer.js';
import { allOf, openProxies } from './proxies.js';

const HOST = '127.0.0.1';
/** Below the system's automatic ports: a process that is down does not lose its port. */
const FIRST_PORT = 8700;

/**
 * Instead of days: like the providers' schedules, they must fit into a run, until its end.
 */
const RETRY_SECONDS = Array(20).fill(2).join();

/** A gateway and a worker of the previous release, on the same stores. */
export interface Former {
  readonly gateway: App;
  readonly worker: App;
  readonly notifyUrl: string;
  isReady(): Promise<boolean>;
}

export interface ClusterOptions {
  readonly root: string;
  /** For this run alone: removed at its end. */
  readonly folder: string;
  readonly logs: string;
  readonly gateways: number;
  readonly workers: number;
  /** A built checkout of the previous release. */
  readonly former: string | null;
  readonly onSpawn: (owned: OwnedProcess) => void;
  readonly onAdd: (add: StoreAdd) => void;
  readonly onArrival: (arrival: Arrival) => void;
  readonly say: (line: string) => void;
}

export interface ClusterAppsOptions extends ClusterOptions {
  readonly stores: Stores;
  readonly redisUrl: string;
  readonly secrets: LocalSecrets;
}

/**
 * Gateways, workers and console, each with separate links, and the merchant's system.
 * @param undo receives the functions that end them, in the order of their starts
 */
export async function startApps(options: ClusterAppsOptions, undo: (() => Promise<void> | void)[]) {
  const { root, logs, say, onSpawn, stores, redisUrl, secrets } = options;
  const several = async (count: number) => {
    const chosen: number[] = [];
    while (chosen.length < count) chosen.push(await takePort(FIRST_PORT));
    return chosen;
  };
  const formers = options.former === null ? 0 : 1;
  const gatewayPorts = await several(options.gateways + formers);
  const privatePorts = await several(options.gateways + options.workers + 1);
  const formerPorts = await several(2 * formers);
  const consolePort = await takePort(FIRST_PORT);
  const simulator = join(options.folder, 'simulator');
  const channels = await ensureSimulatedChannels(simulator);
  const consumer = await startConsumer(options.onArrival);
  undo.push(() => consumer.close());
  const proxies = await openProxies({
    gatewayPorts,
    workers: options.workers + formers,
    consumerPort: consumer.port,
    redisPort: portOf(redisUrl),
    postgresPort: portOf(stores.databaseUrl),
    onAdd: options.onAdd,
  });
  undo.push(async () => void (await Promise.all(allOf(proxies).map((proxy) => proxy.close()))));

  const url = `http://${HOST}:${proxies.webhooks[0]?.port}/payonce`;
  const { channelsFile, secret } = declareEndpoint(simulator, { name: 'shop', url });
  consumer.verifyWith(secret);
  const rival = addRival(simulator, channelsFile, { url, secret });

  const common = (privatePort: number | undefined) => ({
    PAYONCE_HOST: HOST,
    PAYONCE_QUEUE: 'redis',
    PAYONCE_PRIVATE_PORT: String(privatePort),
    PAYONCE_CHANNELS_FILE: channelsFile,
  });
  const make = (kind: 'gateway' | 'worker' | 'console', name: string, env: object, from = root) => {
    const one = app({ name, app: kind, root: from, logs, onSpawn, say, env: { ...env } });
    undo.push(() => one.process.end());
    return one;
  };
  const start = (...parts: Parameters<typeof make>) => {
    const one = make(...parts);
    one.process.up();
    return one;
  };
  const workerEnv = (index: number, privatePort: number | undefined) => ({
    ...common(privatePort),
    REDIS_URL: through(redisUrl, proxies.workerRedis[index]),
    PAYONCE_QUEUE_DATABASE_URL: through(stores.queueDatabaseUrl, proxies.workerPostgres[index]),
    DATABASE_URL: through(stores.databaseUrl, proxies.workerOrders[index]),
    PAYONCE_ENCRYPTION_KEY: secrets.encryptionKey,
    PAYONCE_WEBHOOK_ALLOW_NETWORKS: `${HOST}/32`,
    PAYONCE_WEBHOOK_RETRY_SECONDS: RETRY_SECONDS,
  });
  const gatewayEnv = (index: number, privatePort: number | undefined) => ({
    ...common(privatePort),
    PAYONCE_PORT: String(gatewayPorts[index]),
    REDIS_URL: through(redisUrl, proxies.gatewayRedis[index]),
    PAYONCE_QUEUE_DATABASE_URL: through(stores.queueDatabaseUrl, proxies.gatewayPostgres[index]),
  });
  const each = (count: number) => Array.from({ length: count }, (_, index) => index);
  const workers = each(options.workers).map((index) =>
    start(
      'worker',
      `worker-${index + 1}`,
      workerEnv(index, privatePorts[options.gateways + index]),
    ),
  );
  const gateways = each(options.gateways).map((index) =>
    start('gateway', `gateway-${index + 1}`, gatewayEnv(index, privatePorts[index])),
  );
  const console = start('console', 'console', {
    ...common(privatePorts[options.gateways + options.workers]),
    PAYONCE_PORT: String(consolePort),
    REDIS_URL: redisUrl,
    PAYONCE_QUEUE_DATABASE_URL: stores.queueDatabaseUrl,
    DATABASE_URL: stores.databaseUrl,
    PAYONCE_CONSOLE_PASSWORD: secrets.consolePassword,
    PAYONCE_CONSOLE_API_KEY: secrets.consoleApiKey,
  });
  const notifyUrls = proxies.notify.map((proxy) => `http://${HOST}:${proxy.port}`);
  const readiness = (ports: readonly number[]) => async () =>
    (await Promise.all(ports.map((port) => isOk(`http://${HOST}:${port}/readyz`)))).every(Boolean);
  // Its links are the last ones.
  const former = (from: string): Former => ({
    gateway: make('gateway', 'former-gateway', gatewayEnv(options.gateways, formerPorts[0]), from),
    worker: make('worker', 'former-worker', workerEnv(options.workers, formerPorts[1]), from),
    notifyUrl: notifyUrls[options.gateways] ?? '',
    isReady: readiness(formerPorts),
  });
  return {
    gateways,
    workers,
    console,
    former: options.former === null ? null : former(options.former),
    consumer,
    proxies,
    channels,
    rival,
    notifyUrls: notifyUrls.slice(0, options.gateways),
    consoleUrl: `http://${HOST}:${consolePort}`,
    isReady: readiness(privatePorts),
  };
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}

function through(url: string, proxy: { readonly port: number } | undefined): string {
  const changed = new URL(url);
  changed.port = String(proxy?.port);
  return changed.href;
}
