import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import { holdsWithin } from '@payonce/testkit/machine/poll';
import { killAll, type OwnedProcess } from '@payonce/testkit/machine/process';
import type { WechatpayV2Signer } from '@payonce/testkit/signers/wechatpay-v2';
import { postgresHome } from '@payonce/testkit/stores/postgres-binaries';
import { localSecrets } from '@payonce/tooling/secrets';
import { startStores } from '@payonce/tooling/stores';
import type { App } from './app.js';
import type { Consumer } from './consumer.js';
import type { ManagedProcess } from './managed-process.js';
import { keepPostgres, keepRedis } from './managed-stores.js';
import { allOf, type Proxies } from './proxies.js';
import { ownRedisDisk, type RedisDisk, unmountLeft } from './redis-disk.js';
import { type ClusterOptions, type Former, portOf, startApps } from './start-apps.js';

const START_LIMIT_MS = 60_000;

export interface Cluster {
  readonly postgres: ManagedProcess;
  readonly redis: ManagedProcess;
  /** PostgreSQL's data folder. */
  readonly postgresData: string;
  readonly gateways: readonly App[];
  readonly workers: readonly App[];
  readonly console: App;
  /** Of the previous release; down until a fault starts it. Null without a checkout of it. */
  readonly former: Former | null;
  /** The merchant's system. */
  readonly consumer: Consumer;
  readonly proxies: Proxies;
  readonly redisDisk: RedisDisk;
  /** Past the proxies, for observers. */
  readonly databaseUrl: string;
  readonly queueDatabaseUrl: string;
  /** A superuser's. */
  readonly adminUrl: string;
  readonly redisUrl: string;
  /** Past the proxies: a stranger's connections have another address than the providers'. */
  readonly gatewayPorts: readonly number[];
  /** Through the proxies, one per gateway. */
  readonly notifyUrls: readonly string[];
  readonly consoleUrl: string;
  readonly consoleApiKey: string;
  readonly channels: SimulatedChannels;
  /** Of the second merchant. */
  readonly rival: WechatpayV2Signer;
  /** Whether every process reports that it is ready. */
  isReady(): Promise<boolean>;
  /** Ends and removes everything. */
  end(): Promise<void>;
}

/** PostgreSQL, Redis, gateways, workers and a console, with a proxy on every link between them. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, logs } = options;
  const undo: (() => Promise<void> | void)[] = [];
  const owned = new Set<OwnedProcess>();
  const onSpawn = (one: OwnedProcess) => {
    owned.add(one);
    one.exited.then(() => owned.delete(one));
    options.onSpawn(one);
  };
  const atExit = () => killAll(owned);
  process.once('exit', atExit);
  const end = async () => {
    for (let last = undo.pop(); last; last = undo.pop()) {
      try {
        await last();
      } catch (error) {
        options.say(`while ending: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    killAll(owned);
    process.removeListener('exit', atExit);
  };
  try {
    // The remains of a killed run.
    removeFolders(folder);
    mkdirSync(join(folder, 'logs'), { recursive: true });
    mkdirSync(logs, { recursive: true });
    undo.push(() => removeFolders(folder));
    return { ...(await assemble({ ...options, onSpawn }, undo)), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function assemble(
  options: ClusterOptions,
  undo: (() => Promise<void> | void)[],
): Promise<Omit<Cluster, 'end'>> {
  const { folder, say, onSpawn } = options;
  const redisDisk = ownRedisDisk(join(folder, 'redis'));
  const secrets = localSecrets(folder);
  const spawned = new Map<string, OwnedProcess>();
  // Until they are adopted below.
  undo.push(async () => {
    killAll(spawned.values());
    await Promise.all([...spawned.values()].map(({ exited }) => exited));
  });
  const stores = await startStores({
    state: folder,
    secrets,
    // Without the environment's REDIS_URL and queue: faults damage these stores on purpose.
    env: { PATH: process.env.PATH },
    onSpawn: (one) => {
      spawned.set(one.name, one);
      onSpawn(one);
    },
  });
  const redisUrl = stores.redisUrl;
  if (redisUrl === null) throw new Error('chaos needs redis-server or valkey-server on the PATH');
  const kept = { state: folder, secrets, onSpawn, say };
  const postgres = keepPostgres({ ...kept, port: portOf(stores.databaseUrl) });
  const redis = keepRedis({ ...kept, port: portOf(redisUrl) });
  for (const store of [postgres, redis]) {
    undo.push(() => store.end());
    const owned = spawned.get(store.name);
    if (owned) store.adopt(owned);
  }
  spawned.clear();

  const apps = await startApps({ ...options, stores, redisUrl, secrets }, undo);
  // Whatever fault is active: apps that drain need their links.
  undo.push(() => {
    for (const proxy of allOf(apps.proxies)) proxy.heal();
    for (const store of [postgres, redis]) store.thaw();
  });
  const cluster = {
    ...apps,
    postgres,
    redis,
    postgresData: postgresHome(join(folder, 'postgres')).data,
    redisDisk,
    redisUrl,
    databaseUrl: stores.databaseUrl,
    queueDatabaseUrl: stores.queueDatabaseUrl,
    adminUrl: stores.adminUrl,
    consoleApiKey: secrets.consoleApiKey,
  };
  if (!(await holdsWithin(START_LIMIT_MS, apps.isReady))) {
    throw new Error(`not every process was ready within a minute; see ${options.logs}`);
  }
  return cluster;
}

/** Root's PostgreSQL may keep its data elsewhere: see `postgresHome`. */
function removeFolders(folder: string): void {
  unmountLeft(join(folder, 'redis'));
  const { data } = postgresHome(join(folder, 'postgres'));
  for (const path of [data, folder]) rmSync(path, { recursive: true, force: true });
}
