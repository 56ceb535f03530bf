import type { AbstractConnector } from 'ioredis';
import { masterConnector } from './master-connector.js';
import {
  clusterDiscovery,
  type MasterDiscovery,
  sentinelDiscovery,
  withLogin,
} from './redis-discovery.js';
import type { RedisLogin, RedisTopology, RedisTrust } from './redis-settings.js';
import { connectorTo } from './redis-socket.js';

/** One server, however it is found. `key` determines which of a cluster's masters it is. */
export interface RedisTarget {
  readonly topology: RedisTopology;
  readonly key: string;
}

/** The options of ioredis that locate the server; BullMQ takes them too. */
interface RedisServer extends Partial<RedisLogin> {
  readonly url?: string;
  readonly Connector?: new () => AbstractConnector;
  readonly tls?: RedisTrust;
}

/** The options with which ioredis finds the server. */
export function serverOf({ topology, key }: RedisTarget): RedisServer {
  if (topology.kind === 'single') {
    const { url } = topology;
    if (!isTls([url])) return { url };
    const tls = trustOf(topology);
    return { url, Connector: connectorTo(hostAndPort(url, 6_379), tls), tls };
  }
  const urls = topology.kind === 'sentinel' ? topology.sentinels : topology.nodes;
  const tls = isTls(urls) ? trustOf(topology) : null;
  return {
    Connector: masterConnector(discoveryOf(topology, key, tls), tls),
    ...withLogin(topology),
    // The connector opens the socket; this tells ioredis which of its events means connected.
    ...(tls && { tls }),
  };
}

function discoveryOf(
  topology: Exclude<RedisTopology, { readonly kind: 'single' }>,
  key: string,
  tls: RedisTrust | null,
): MasterDiscovery {
  switch (topology.kind) {
    case 'sentinel': {
      const seeds = topology.sentinels.map((url) => hostAndPort(url, 26_379));
      return sentinelDiscovery(seeds, topology.name, { login: topology.sentinelLogin, tls });
    }
    case 'cluster': {
      const seeds = topology.nodes.map((url) => hostAndPort(url, 6_379));
      return clusterDiscovery(seeds, key, { login: topology, tls });
    }
  }
}

function trustOf({ ca }: RedisTrust): RedisTrust {
  return ca === undefined ? {} : { ca };
}

function hostAndPort(url: string, fallbackPort: number) {
  const { hostname, port } = new URL(url);
  // Only a URL has brackets around an IPv6 address.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || fallbackPort) };
}

function isTls([first = '']: readonly string[]): boolean {
  return first.startsWith('rediss:');
}
