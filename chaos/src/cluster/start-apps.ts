import { join } from 'node:path';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { declareEndpoint } from '@payonce/testkit/channels/endpoint';
import { takePort } from '@payonce/testkit/machine/ports';
import { isOk, type OwnedProcess } from '@payonce/testkit/machine/process';
import type { LocalSecrets } from '@payonce/tooling/secrets';
import type { Stores } from '@payonce/tooling/stores';
import type { Arrival, StoreAdd } from '../history/history.js';
import { addRival } from '../workload/rival.js';
import { type App, type AppOptions, app } from './app.js';
import { startConsumer } from './consumer.js';
import { allOf, openProxies, type Proxies } from './proxies.js';

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

type Undo = (() => Promise<void> | void)[];
type Ports = Awaited<ReturnType<typeof takePorts>>;

/**
 * Gateways, workers and console, each with separate links, and the merchant's system.
 * @param undo receives the functions that end them, in the order of their starts
 */
export async function startApps(options: ClusterAppsOptions, undo: Undo) {
  const { root, logs, say, onSpawn, gateways, workers } = options;
  const ports = await takePorts(options);
  const { channelsFile, ...links } = await openLinks(options, ports, undo);
  const envOf = environments(options, ports, links.proxies, channelsFile);
  const make = (kind: AppOptions['app'], name: string, env: AppOptions['env'], from = root) => {
    const one = app({ name, app: kind, root: from, logs, onSpawn, say, env });
    undo.push(() => one.process.end());
    return one;
  };
  const start = (...parts: Parameters<typeof make>) => {
    const one = make(...parts);
    one.process.up();
    return one;
  };
  const notifyUrls = links.proxies.notify.map((proxy) => `http://${HOST}:${proxy.port}`);
  const readiness = (from: readonly number[]) => async () =>
    (await Promise.all(from.map((port) => isOk(`http://${HOST}:${port}/readyz`)))).every(Boolean);
  const former = (from: string): Former => ({
    gateway: make('gateway', 'former-gateway', envOf.gateway(gateways), from),
    worker: make('worker', 'former-worker', envOf.worker(workers), from),
    notifyUrl: notifyUrls[gateways] ?? '',
    isReady: readiness(ports.privateFormer),
  });
  return {
    ...links,
    workers: Array.from({ length: workers }, (_, index) =>
      start('worker', `worker-${index + 1}`, envOf.worker(index)),
    ),
    gateways: Array.from({ length: gateways }, (_, index) =>
      start('gateway', `gateway-${index + 1}`, envOf.gateway(index)),
    ),
    console: start('console', 'console', envOf.console()),
    former: options.former === null ? null : former(options.former),
    gatewayPorts: ports.gateways.slice(0, gateways),
    notifyUrls: notifyUrls.slice(0, gateways),
    consoleUrl: `http://${HOST}:${ports.console}`,
    isReady: readiness([...ports.privateGateways, ...ports.privateWorkers, ports.privateConsole]),
  };
}

/** The gateway of the previous release has the last of `gateways`. */
async function takePorts({ gateways, workers, former }: ClusterAppsOptions) {
  const several = async (count: number) => {
    const chosen: number[] = [];
    while (chosen.length < count) chosen.push(await takePort(FIRST_PORT));
    return chosen;
  };
  const formers = former === null ? 0 : 1;
  return {
    gateways: await several(gateways + formers),
    privateGateways: await several(gateways),
    privateWorkers: await several(workers),
    privateConsole: await takePort(FIRST_PORT),
    /** Its gateway's and its worker's. */
    privateFormer: await several(2 * formers),
    console: await takePort(FIRST_PORT),
  };
}

/** A proxy on every link, the merchant's system, and the channels. */
async function openLinks(options: ClusterAppsOptions, ports: Ports, undo: Undo) {
  const simulator = join(options.folder, 'simulator');
  const channels = await ensureSimulatedChannels(simulator);
  const consumer = await startConsumer(options.onArrival);
  undo.push(() => consumer.close());
  const proxies = await openProxies({
    gatewayPorts: ports.gateways,
    workers: options.workers + (options.former === null ? 0 : 1),
    consumerPort: consumer.port,
    redisPort: portOf(options.redisUrl),
    postgresPort: portOf(options.stores.databaseUrl),
    onAdd: options.onAdd,
  });
  undo.push(async () => void (await Promise.all(allOf(proxies).map((proxy) => proxy.close()))));
  const url = `http://${HOST}:${proxies.webhooks[0]?.port}/payonce`;
  const { channelsFile, secret } = declareEndpoint(simulator, { name: 'shop', url });
  consumer.verifyWith(secret);
  const rival = addRival(simulator, channelsFile, { url, secret });
  return { channels, channelsFile, consumer, proxies, rival };
}

/** By the number of a gateway or worker; the previous release's come after the others. */
function environments(
  { stores, redisUrl, secrets }: ClusterAppsOptions,
  ports: Ports,
  proxies: Proxies,
  channelsFile: string,
) {
  const [formerGateway, formerWorker] = ports.privateFormer;
  const common = (privatePort: number | undefined) => ({
    PAYONCE_HOST: HOST,
    PAYONCE_QUEUE: 'redis',
    PAYONCE_PRIVATE_PORT: String(privatePort),
    PAYONCE_CHANNELS_FILE: channelsFile,
  });
  return {
    worker: (index: number) => ({
      ...common(ports.privateWorkers[index] ?? formerWorker),
      REDIS_URL: through(redisUrl, proxies.workerRedis[index]),
      PAYONCE_QUEUE_DATABASE_URL: through(stores.queueDatabaseUrl, proxies.workerPostgres[index]),
      DATABASE_URL: through(stores.databaseUrl, proxies.workerOrders[index]),
      PAYONCE_ENCRYPTION_KEY: secrets.encryptionKey,
      PAYONCE_WEBHOOK_ALLOW_NETWORKS: `${HOST}/32`,
      PAYONCE_WEBHOOK_RETRY_SECONDS: RETRY_SECONDS,
    }),
    gateway: (index: number) => ({
      ...common(ports.privateGateways[index] ?? formerGateway),
      PAYONCE_PORT: String(ports.gateways[index]),
      REDIS_URL: through(redisUrl, proxies.gatewayRedis[index]),
      PAYONCE_QUEUE_DATABASE_URL: through(stores.queueDatabaseUrl, proxies.gatewayPostgres[index]),
    }),
    console: () => ({
      ...common(ports.privateConsole),
      PAYONCE_PORT: String(ports.console),
      REDIS_URL: redisUrl,
      PAYONCE_QUEUE_DATABASE_URL: stores.queueDatabaseUrl,
      DATABASE_URL: stores.databaseUrl,
      PAYONCE_CONSOLE_PASSWORD: secrets.consolePassword,
      PAYONCE_CONSOLE_API_KEY: secrets.consoleApiKey,
    }),
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
