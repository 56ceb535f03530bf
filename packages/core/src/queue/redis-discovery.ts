import { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisLogin, RedisTrust } from './redis-settings.js';
import { type Address, connectorTo } from './redis-socket.js';

/** How to find a master: by servers that know its address. */
export interface MasterDiscovery {
  /** What these servers are called in messages. */
  readonly serverKind: string;
  /** The servers of the configuration. */
  readonly seeds: readonly Address[];
  /** Asks one server. @throws when it does not respond, or knows no master */
  ask(address: Address): Promise<KnownServers>;
}

interface KnownServers {
  readonly master: Address;
  /** More servers to ask. */
  readonly others: readonly Address[];
}

interface RedisAccess {
  readonly login: RedisLogin;
  /** Null means without TLS. */
  readonly tls: RedisTrust | null;
}

/** A live server responds within milliseconds, and there are others to ask. */
const ASK_LIMIT_MS = 1_000;

/** Nodes of a cluster, asked for the master of the slot of `key`. */
export function clusterDiscovery(
  seeds: readonly Address[],
  key: string,
  access: RedisAccess,
): MasterDiscovery {
  return {
    serverKind: 'node of the cluster',
    seeds,
    ask: (node) =>
      withRedisConnection(node, access, async (redis) => {
        const [slot, response] = await Promise.all([
          redis.cluster('KEYSLOT', key),
          redis.cluster('SLOTS'),
        ]);
        const ranges = slotRanges.parse(response);
        const addressOf = ([host, port]: [string | null, number, ...unknown[]]): Address => {
          return { host: host || node.host, port };
        };
        const range = ranges.find(([first, last]) => first <= slot && slot <= last);
        const master = range?.[2];
        if (!master) throw new Error(`slot ${slot} has no master`);
        const others = ranges.flatMap(([, , ...servers]) => servers.map(addressOf));
        return { master: addressOf(master), others };
      }),
  };
}

/**
 * `CLUSTER SLOTS`: ranges, each with its master first, then its replicas. An empty host means the
 * asked node.
 */
const slotRanges = z.array(
  z
    .tuple([z.number(), z.number()])
    .rest(z.tuple([z.string().nullable(), z.number()]).rest(z.unknown())),
);

/** Sentinels, asked for the master with the name `name`. */
export function sentinelDiscovery(
  seeds: readonly Address[],
  name: string,
  access: RedisAccess,
): MasterDiscovery {
  return {
    serverKind: 'Sentinel',
    seeds,
    ask: (sentinel) =>
      withRedisConnection(sentinel, access, async (redis) => {
        const [master, others] = await Promise.all([
          redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name),
          redis.call('SENTINEL', 'SENTINELS', name),
        ]);
        const [host, port] = masterAddress.parse(master) ?? [];
        if (!host || !port) throw new Error(`no master is called ${name}`);
        return { master: { host, port: Number(port) }, others: otherSentinels.parse(others) };
      }),
  };
}

const masterAddress = z.tuple([z.string(), z.string()]).nullable();

/** Names and values alternate. Sentinels that are disconnected now are left out. */
const otherSentinels = z.array(z.array(z.string())).transform((all) =>
  all.flatMap((fields): Address[] => {
    const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
    if (field('flags').includes('disconnected')) return [];
    return [{ host: field('ip'), port: Number(field('port')) }];
  }),
);

/**
 * Connects, asks and disconnects. @throws the first error: later ioredis only reports a closed
 * connection
 */
async function withRedisConnection<Result>(
  address: Address,
  { login, tls }: RedisAccess,
  ask: (redis: Redis) => Promise<Result>,
): Promise<Result> {
  const redis = new Redis({
    // A server that hangs does not close a connection either: there is no wait for it.
    Connector: connectorTo(address, tls, 0),
    ...withLogin(login),
    ...(tls && { tls }),
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: ASK_LIMIT_MS,
    commandTimeout: ASK_LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

/** ioredis distinguishes an absent name from an undefined one. */
export function withLogin({ username, password }: RedisLogin): Partial<RedisLogin> {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}
