import { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisLogin, RedisTrust } from './redis-settings.js';
import { type Address, connectorTo } from './redis-socket.js';

/** Servers that know the address of a master. */
export interface Guides {
  /** Their name in messages. */
  readonly who: string;
  readonly addresses: readonly Address[];
  /** Asks one of them. @throws when it does not answer, or knows no master */
  ask(address: Address): Promise<Answer>;
}

interface Answer {
  readonly master: Address;
  /** More servers to ask. */
  readonly others: readonly Address[];
}

interface Access {
  readonly login: RedisLogin;
  /** Null means without TLS. */
  readonly tls: RedisTrust | null;
}

/** A live server answers within milliseconds, and there are others to ask. */
const ASK_LIMIT_MS = 1_000;

/** Nodes of a cluster, asked for the master of the slot of `key`. */
export function clusterNodes(addresses: readonly Address[], key: string, access: Access): Guides {
  return {
    who: 'node of the cluster',
    addresses,
    ask: (node) =>
      talk(node, access, async (redis) => {
        const [slot, answer] = await Promise.all([
          redis.cluster('KEYSLOT', key),
          redis.cluster('SLOTS'),
        ]);
        const ranges = slotRanges.parse(answer);
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
export function sentinelGuides(
  addresses: readonly Address[],
  name: string,
  access: Access,
): Guides {
  return {
    who: 'Sentinel',
    addresses,
    ask: (sentinel) =>
      talk(sentinel, access, async (redis) => {
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
async function talk<Told>(
  address: Address,
  { login, tls }: Access,
  ask: (redis: Redis) => Promise<Told>,
): Promise<Told> {
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
