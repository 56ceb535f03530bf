import { join } from 'node:path';
import { declareEndpoint } from '@payonce/testkit/channels/endpoint';
import { until } from '@payonce/testkit/machine/poll';
import { takePort } from '@payonce/testkit/machine/ports';
import {
  endedAtStart,
  hasEnded,
  isOk,
  type OwnedProcess,
  ownProgram,
} from '@payonce/testkit/machine/process';
import { type App, environmentOf, HOST, type Ports, PREFERRED_PORTS } from './app-environment.js';
import type { LocalSecrets } from './secrets.js';
import type { Stores } from './stores.js';

/**
 * Started in this order, stopped in reverse: the edge stops before the worker. The merchant's
 * system stops last, since the worker delivers to it.
 */
const APPS = ['consumer', 'worker', 'gateway', 'console', 'simulator'] as const satisfies App[];

const START_LIMIT_MS = 30_000;

export interface RunningApps {
  readonly gatewayUrl: string;
  readonly consoleUrl: string;
  readonly simulatorUrl: string;
  /** The example of a merchant's system. */
  readonly consumerUrl: string;
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
  for (const { app } of started) {
    await until(`${app} to be ready (log: ${logOf(options, app)})`, START_LIMIT_MS, () => {
      const ended = started.find((one) => hasEnded(one.owned));
      if (ended) throw endedAtStart(ended.app, logOf(options, ended.app));
      return isOk(ready[app]);
    });
  }
  return {
    gatewayUrl: url(ports.gateway),
    consoleUrl: url(ports.console),
    simulatorUrl: url(ports.simulator),
    consumerUrl: url(ports.consumer),
  };
}

function startApp(app: App, env: NodeJS.ProcessEnv, options: AppsOptions): OwnedProcess {
  const program =
    app === 'consumer' ? 'examples/consumer/src/main.mjs' : `apps/${app}/dist/main.js`;
  return ownProgram({
    name: app,
    main: join(options.root, program),
    cwd: options.root,
    env,
    output: { appendTo: logOf(options, app) },
    onSpawn: options.onSpawn,
  });
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
