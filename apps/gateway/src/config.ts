import { isIP } from 'node:net';
import { readChannelFile } from '@payonce/core/config/channel-file';
import type { Channels } from '@payonce/core/config/channels';
import {
  collectFaults,
  count,
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
    'must be comma-separated IP addresses or networks (10.0.0.0/8)',
  ),
  // A misconfigured shop has a notification or two refused per minute, a forger thousands.
  PAYONCE_GATEWAY_REFUSED_PER_MINUTE: count(120, 0, 1_000_000),
  // One second of the fastest provider; with messages of 2 KiB some dozens of megabytes.
  PAYONCE_GATEWAY_MAX_IN_FLIGHT: count(4_000, 1, 100_000),
};

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly privateHost: string;
  readonly privatePort: number;
  /** Only these may state the client's address by `X-Forwarded-For`. */
  readonly trustedProxies: readonly string[];
  /**
   * Refused requests of one address in a minute before its further requests are refused unread; 0
   * means no limit.
   */
  readonly refusedPerMinute: number;
  /** Genuine notifications that may wait for a store at once. */
  readonly maxInFlight: number;
  readonly queues: QueueStores;
  readonly channels: Channels;
  /** Reads them again. @throws ConfigError with all faults at once */
  readonly readChannels: () => Channels;
}

/**
 * Reads the environment and the channel file with its keys. @throws ConfigError with all faults at
 * once
 */
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
    refusedPerMinute: own.PAYONCE_GATEWAY_REFUSED_PER_MINUTE,
    maxInFlight: own.PAYONCE_GATEWAY_MAX_IN_FLIGHT,
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
