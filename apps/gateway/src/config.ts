import { isIP } from 'node:net';
import { readChannelFile } from '@payonce/core/config/channel-file';
import type { Channels } from '@payonce/core/config/channels';
import {
  collectFaults,
  type Env,
  list,
  logEnv,
  port,
  privateEnv,
  readEnv,
} from '@payonce/core/config/env';
import { type QueueStores, readQueueSettings } from '@payonce/core/queue/queue-settings';
import { z } from 'zod';

// DATABASE_URL is absent on purpose: the public edge cannot reach an order.
const gatewayEnv = {
  ...logEnv,
  PAYONCE_HOST: z.string().default('127.0.0.1'),
  PAYONCE_PORT: port(8600),
  ...privateEnv(8601),
  PAYONCE_TRUSTED_PROXIES: list().refine(
    (proxies) => proxies.every(isProxyAddress),
    'must be IP addresses or networks (10.0.0.0/8) between commas',
  ),
};

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly privateHost: string;
  readonly privatePort: number;
  /** Only these may say, by `X-Forwarded-For`, who the client is. */
  readonly trustedProxies: readonly string[];
  readonly queues: QueueStores;
  readonly channels: Channels;
  /** Reads them again. @throws ConfigError with every fault at once */
  readonly readChannels: () => Channels;
}

/** Reads the environment and the channel file with its keys. @throws ConfigError with every fault at once */
export function readConfig(env: Env): GatewayConfig {
  const { own, queues, channels } = collectFaults({
    own: () => readEnv(gatewayEnv, env),
    queues: () => readQueueSettings(env),
    channels: () => readChannelFile(env),
  });
  return {
    host: own.PAYONCE_HOST,
    port: own.PAYONCE_PORT,
    privateHost: own.PAYONCE_PRIVATE_HOST,
    privatePort: own.PAYONCE_PRIVATE_PORT,
    trustedProxies: own.PAYONCE_TRUSTED_PROXIES,
    queues,
    channels,
    readChannels: () => readChannelFile(env),
  };
}

function isProxyAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  );
}
