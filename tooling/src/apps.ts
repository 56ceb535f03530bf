import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { declareEndpoint } from '@payonce/testkit/endpoint';
import { type App, environmentOf, HOST, type Ports, PREFERRED_PORTS } from './app-environment.js';
import { takePort } from './ports.js';
import { endedAtStart, type OwnedProcess, own, until } from './process.js';
import type { LocalSecrets } from './secrets.js';
import type { Stores } from './stores.js';

/**
 * Started in this order, stopped in reverse: the edge stops before the worker. The merchant's
 * system stops last, since the worker delivers to it.
 */
const APPS = ['consumer', 'worker', 'gateway', 'console', 'simulator'] as const satisfies App[];

export interface RunningApps {
  readonly gatewayUrl: string;
  readonly consoleUrl: string;
  readonly simulatorUrl: string;
  /** The example of a merchant's system. */
  readonly consumerUrl: string;
  /** Resolves with the first app that ends by itself. */
  readonly anyEnded: Promise<{ readonly app: string }>;
}

export interface AppsOptions {
  readonly root: string;
  readonly state: string;
  readonly stores: Stores;
  readonly secrets: LocalSecrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onSpawn: (owned: OwnedProcess) => void;
}

/** Starts the apps as separate processes and waits until each reports that it is ready. */
export async function startApps(options: AppsOptions): Promise<RunningApps> {
  const ports = await choosePorts();
  const url = (port: number) => `http://${HOST}:${port}`;
  const endpoint = declareEndpoint(join(options.state, 'simulator'), {
    name: 'shop',
    url: `${url(ports.consumer)}/payonce`,
  });
  const ready: Record<App, string> = {
    consumer: url(ports.consumer),
    worker: `${url(ports.workerPrivate)}/readyz`,
    gateway: `${url(ports.gatewayPrivate)}/readyz`,
    console: `${url(ports.consolePrivate)}/readyz`,
    simulator: `${url(ports.simulator)}/readyz`,
  };
  const start = (app: App) =>
    startApp(app, environmentOf(app, { ...options, ports, endpoint }), options);
  const started = APPS.map((app) => ({ app, owned: start(app) }));
  const endOf = async ({ app, owned }: (typeof started)[number]) => {
    await owned.exited;
    return { app };
  };
  const anEnd = Promise.race(started.map(endOf));
  for (const { app } of started) {
    const answers = until(`${app} to be ready (log: ${logOf(options, app)})`, 30_000, () =>
      isOk(ready[app]),
    );
    const first = await Promise.race([answers, anEnd]);
    if (first) throw endedAtStart(first.app, logOf(options, first.app));
  }
  return {
    gatewayUrl: url(ports.gateway),
    consoleUrl: url(ports.console),
    simulatorUrl: url(ports.simulator),
    consumerUrl: url(ports.consumer),
    // While the merchant's system is down, order events wait.
    anyEnded: Promise.race(started.filter(({ app }) => app !== 'consumer').map(endOf)),
  };
}

function startApp(app: App, env: NodeJS.ProcessEnv, options: AppsOptions): OwnedProcess {
  const program =
    app === 'consumer' ? 'examples/consumer/src/main.mjs' : `apps/${app}/dist/main.js`;
  const main = join(options.root, program);
  if (!existsSync(main)) throw new Error(`${main} is missing: the build did not run`);
  const owned = own(app, process.execPath, ['--enable-source-maps', main], {
    cwd: options.root,
    env,
    output: openSync(logOf(options, app), 'a'),
  });
  options.onSpawn(owned);
  return owned;
}

function logOf({ state }: AppsOptions, app: string): string {
  return join(state, 'logs', `${app}.log`);
}

async function choosePorts(): Promise<Ports> {
  const chosen: Record<string, number> = {};
  for (const [name, preferred] of Object.entries(PREFERRED_PORTS)) {
    chosen[name] = await takePort(preferred);
  }
  return chosen as unknown as Ports;
}

async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    // An unread body keeps its connection, and with it this process, alive.
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
