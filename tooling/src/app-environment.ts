import { join } from 'node:path';
import type { DeclaredEndpoint } from '@payonce/testkit/channels/endpoint';
import type { LocalSecrets } from './secrets.js';
import type { Stores } from './stores.js';

export const HOST = '127.0.0.1';

/** Preferred ports; the next free one is taken and printed. */
export const PREFERRED_PORTS = {
  gateway: 8600,
  gatewayPrivate: 8601,
  workerPrivate: 8602,
  console: 8603,
  simulator: 8604,
  consolePrivate: 8605,
  consumer: 8606,
} as const;
export type Ports = Readonly<Record<keyof typeof PREFERRED_PORTS, number>>;

export type App = 'consumer' | 'worker' | 'gateway' | 'console' | 'simulator';

export interface LocalSetup {
  readonly state: string;
  readonly stores: Stores;
  readonly secrets: LocalSecrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ports: Ports;
  readonly endpoint: DeclaredEndpoint;
}

/** The minimum environment of each app: the gateway never sees DATABASE_URL. */
export function environmentOf(app: App, setup: LocalSetup): NodeJS.ProcessEnv {
  const { stores, secrets, env, state, ports, endpoint } = setup;
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
      PAYONCE_CHANNELS_FILE: endpoint.channelsFile,
    },
    worker: {
      ...queue,
      ...webhooks,
      DATABASE_URL: stores.databaseUrl,
      PAYONCE_PRIVATE_PORT: String(ports.workerPrivate),
      PAYONCE_CHANNELS_FILE: endpoint.channelsFile,
    },
    console: {
      ...queue,
      ...webhooks,
      DATABASE_URL: stores.databaseUrl,
      PAYONCE_PORT: String(ports.console),
      PAYONCE_PRIVATE_PORT: String(ports.consolePrivate),
      PAYONCE_CHANNELS_FILE: endpoint.channelsFile,
      PAYONCE_CONSOLE_PASSWORD: secrets.consolePassword,
      PAYONCE_CONSOLE_API_KEY: secrets.consoleApiKey,
    },
    // The merchant's system: it only knows its secret, and nothing else of payonce.
    consumer: {
      WEBHOOK_SECRET: endpoint.secret,
      HOST,
      PORT: String(ports.consumer),
      EVENTS_FILE: join(state, 'consumer.jsonl'),
    },
    simulator: {
      PAYONCE_PORT: String(ports.simulator),
      PAYONCE_GATEWAY_URL: `http://${HOST}:${ports.gateway}`,
      PAYONCE_SIMULATOR_DIR: join(state, 'simulator'),
    },
  };
  return { ...Object.fromEntries(passedOn), PAYONCE_HOST: HOST, ...own[app] };
}
