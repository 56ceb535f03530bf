import type { AbstractConnector } from 'ioredis';
import type { RedisTopology } from './redis-settings.js';
import { slotConnector, withLogin } from './slot-connector.js';

/** One server, however it is found. `key` tells a cluster which of its masters is meant. */
export interface RedisPlace {
  readonly topology: RedisTopology;
  readonly key: string;
}

/** Those of ioredis's options that say where the server is; BullMQ takes them too. */
interface RedisServer {
  readonly url?: string;
  readonly sentinels?: { readonly host: string; readonly port: number }[];
  readonly name?: string;
  readonly sentinelPassword?: string;
  readonly sentinelCommandTimeout?: number;
  readonly sentinelTLS?: Record<string, never>;
  readonly enableTLSForSentinelMode?: boolean;
  readonly Connector?: new () => AbstractConnector;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

/** What ioredis has to be told to find it. */
export function serverOf({ topology, key }: RedisPlace): RedisServer {
  switch (topology.kind) {
    case 'single':
      return { url: topology.url };
    case 'sentinel': {
      const { name, sentinelPassword } = topology;
      return {
        sentinels: topology.sentinels.map((url) => hostAndPort(url, 26_379)),
        name,
        ...withLogin(topology),
        ...(sentinelPassword !== undefined && { sentinelPassword }),
        // There are others to ask.
        sentinelCommandTimeout: 1_000,
        ...(isTls(topology.sentinels) && {
          tls: {},
          sentinelTLS: {},
          enableTLSForSentinelMode: true,
        }),
      };
    }
    case 'cluster': {
      const nodes = topology.nodes.map((url) => hostAndPort(url, 6_379));
      const tls = isTls(topology.nodes);
      return {
        Connector: slotConnector({ nodes, key, login: topology, tls }),
        ...withLogin(topology),
        // The connector makes the socket; this tells ioredis which of its events means connected.
        ...(tls && { tls: {} }),
      };
    }
  }
}

function hostAndPort(url: string, fallbackPort: number) {
  const { hostname, port } = new URL(url);
  // IPv6 addresses stand in brackets in a URL alone.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || fallbackPort) };
}

function isTls([first = '']: readonly string[]): boolean {
  return first.startsWith('rediss:');
}
