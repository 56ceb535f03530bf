import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { nextFreePort } from './ports.js';
import { type OwnedProcess, own, until } from './process.js';
import type { LocalSecrets } from './secrets.js';
import type { Stores } from './stores.js';

const HOST = '127.0.0.1';

/** Started in this order, stopped in the reverse: the edge before the worker. */
const APPS = ['worker', 'gateway', 'console', 'simulator'] as const;
type App = (typeof APPS)[number];

/** Preferred ports; the next free one is taken and printed. */
const PORTS = {
  gateway: 8600,
  gatewayPrivate: 8601,
  workerPrivate: 8602,
  console: 8603,
  simulator: 8604,
  consolePrivate: 8605,
} as const;
type Ports = Readonly<Record<keyof typeof PORTS, number>>;

export interface RunningApps {
  readonly gatewayUrl: string;
  readonly consoleUrl: string;
  readonly simulatorUrl: string;
  /** Resolves with the first app that ends by itself. */
  readonly anyEnded: Promise<{ readonly app: string }>;
}

export interface AppsOptions {
  readonly root: string;
  readonly state: string;
  readonly stores: Stores;
  readonly secrets: LocalSecrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ports: Set<number>;
  readonly channelsFile: string;
  readonly onSpawn: (owned: OwnedProcess) => void;
}

/** Starts the four apps as separate processes and waits until each says that it is ready. */
export async function startApps(options: AppsOptions): Promise<RunningApps> {
  const ports = await choosePorts(options.ports);
  const url = (port: number) => `http://${HOST}:${port}`;
  const ready: Record<App, string> = {
    worker: `${url(ports.workerPrivate)}/readyz`,
    gateway: `${url(ports.gatewayPrivate)}/readyz`,
    console: `${url(ports.consolePrivate)}/readyz`,
    simulator: `${url(ports.simulator)}/readyz`,
  };
  const started = APPS.map((app) => ({ app, owned: startApp(app, ports, options) }));
  const ended = started.map(({ app, owned }) => owned.exited.then(() => ({ app })));
  const anyEnded = Promise.race(ended);
  for (const { app } of started) {
    const answers = until(`${app} to be ready (log: ${logOf(options, app)})`, 30_000, () =>
      isOk(ready[app]),
    );
    const first = await Promise.race([answers, anyEnded]);
    if (first) {
      throw new Error(`${first.app} ended at start; see ${logOf(options, first.app)}`);
    }
  }
  return {
    gatewayUrl: url(ports.gateway),
    consoleUrl: url(ports.console),
    simulatorUrl: url(ports.simulator),
    anyEnded,
  };
}

function startApp(app: App, ports: Ports, options: AppsOptions): OwnedProcess {
  const main = join(options.root, 'apps', app, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: the build did not run`);
  const owned = own(app, process.execPath, ['--enable-source-maps', main], {
    cwd: options.root,
    env: environment(app, ports, options),
    output: openSync(logOf(options, app), 'a'),
  });
  options.onSpawn(owned);
  return owned;
}

/** Each app gets what it needs and no more: the gateway never sees DATABASE_URL. */
function environment(app: App, ports: Ports, options: AppsOptions): NodeJS.ProcessEnv {
  const { stores, secrets, env, channelsFile, state } = options;
  const passedOn = Object.entries(env).filter(([name]) =>
    /^(PATH|TZ|LANG|NODE_OPTIONS|OTEL_.*|PAYONCE_.*)$/.test(name),
  );
  const queue = {
    PAYONCE_QUEUE: stores.queue,
    PAYONCE_QUEUE_DATABASE_URL: stores.queueDatabaseUrl,
    ...(stores.redisUrl === null ? {} : { REDIS_URL: stores.redisUrl }),
  };
  const webhooks = {
    PAYONCE_ENCRYPTION_KEY: secrets.encryptionKey,
    // The merchants' systems of a local run are on this machine.
    PAYONCE_WEBHOOK_ALLOW_NETWORKS: `${HOST}/32`,
  };
  const own: Record<App, Record<string, string>> = {
    gateway: {
      ...queue,
      PAYONCE_PORT: String(ports.gateway),
      PAYONCE_PRIVATE_PORT: String(ports.gatewayPrivate),
      PAYONCE_CHANNELS_FILE: channelsFile,
    },
    worker: {
      ...queue,
      ...webhooks,
      DATABASE_URL: stores.databaseUrl,
      PAYONCE_PRIVATE_PORT: String(ports.workerPrivate),
      PAYONCE_CHANNELS_FILE: channelsFile,
    },
    console: {
      ...queue,
      ...webhooks,
      DATABASE_URL: stores.databaseUrl,
      PAYONCE_PORT: String(ports.console),
      PAYONCE_PRIVATE_PORT: String(ports.consolePrivate),
      PAYONCE_CHANNELS_FILE: channelsFile,
      PAYONCE_CONSOLE_PASSWORD: secrets.consolePassword,
      PAYONCE_CONSOLE_API_KEY: secrets.consoleApiKey,
    },
    simulator: {
      PAYONCE_PORT: String(ports.simulator),
      PAYONCE_GATEWAY_URL: `http://${HOST}:${ports.gateway}`,
      PAYONCE_SIMULATOR_DIR: join(state, 'simulator'),
    },
  };
  return { ...Object.fromEntries(passedOn), PAYONCE_HOST: HOST, ...own[app] };
}

function logOf({ state }: AppsOptions, app: string): string {
  return join(state, 'logs', `${app}.log`);
}

async function choosePorts(taken: Set<number>): Promise<Ports> {
  const chosen: Record<string, number> = {};
  for (const [name, preferred] of Object.entries(PORTS)) {
    const port = await nextFreePort(preferred, taken);
    taken.add(port);
    chosen[name] = port;
  }
  return chosen as unknown as Ports;
}

async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    // A body that nobody reads keeps its connection, and with it this process, alive.
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
