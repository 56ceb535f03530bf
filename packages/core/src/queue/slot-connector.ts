import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { RedisLogin } from './redis-settings.js';

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SlotOptions {
  /** Any nodes of the cluster; more are learned from their answers. */
  readonly nodes: readonly Address[];
  /** All keys of the connection are in this key's slot. */
  readonly key: string;
  readonly login: RedisLogin;
  readonly tls: boolean;
}

/** A node that is alive answers within milliseconds; there are others to ask. */
const ASK_LIMIT_MS = 1_000;
const ASK_AGAIN_MS = 250;
/** What ioredis gives a socket to close. */
const CLOSE_LIMIT_MS = 2_000;

/**
 * For ioredis's `Connector`: before each connection the cluster is asked which master serves the key's slot.
 * ioredis's own `Cluster` spreads keys over connections to every node and retries out of our sight. A shard of
 * the queue has all its keys in one slot, so a plain connection to that slot's master is enough, on which
 * `WAIT`, time-outs and the durability check mean what they mean elsewhere. After a fail-over the connection
 * breaks, and the next one leads to the new master.
 */
export function slotConnector(options: SlotOptions): new () => AbstractConnector {
  let known = options.nodes;
  return class SlotConnector extends AbstractConnector {
    constructor() {
      super(CLOSE_LIMIT_MS);
    }

    /** Asks until a node knows a master: an error here would end the client for good. */
    async connect(tell: (type: string, error: Error) => void): Promise<Socket> {
      this.connecting = true;
      for (;;) {
        try {
          const { master, nodes } = await askAnyOf(known, options);
          this.throwIfClosed();
          known = withoutDoubles([...nodes, ...options.nodes]);
          const socket = options.tls ? connectTls(master) : connect(master);
          socket.once('error', (error) => {
            this.firstError = error;
          });
          this.stream = socket;
          return socket;
        } catch (error) {
          this.throwIfClosed();
          tell('error', error instanceof Error ? error : new Error(String(error)));
          await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
          this.throwIfClosed();
        }
      }
    }

    private throwIfClosed(): void {
      if (!this.connecting) throw new Error('Connection is closed.');
    }
  };
}

interface Answer {
  readonly master: Address;
  readonly nodes: readonly Address[];
}

/** In another order each time: one that has fallen behind must not be the only one asked. */
async function askAnyOf(nodes: readonly Address[], options: SlotOptions): Promise<Answer> {
  const start = Math.floor(Math.random() * nodes.length);
  let cause: unknown;
  for (const node of [...nodes.slice(start), ...nodes.slice(0, start)]) {
    try {
      return await ask(node, options);
    } catch (error) {
      cause = error;
    }
  }
  throw new AppError('queue_unavailable', { detail: 'no node of the cluster answers', cause });
}

/** `CLUSTER SLOTS`: ranges, each with its master first, then its replicas. An empty host is the one that was asked. */
const slotRanges = z.array(
  z
    .tuple([z.number(), z.number()])
    .rest(z.tuple([z.string().nullable(), z.number()]).rest(z.unknown())),
);

async function ask(node: Address, { key, login, tls }: SlotOptions): Promise<Answer> {
  const redis = new Redis({
    ...node,
    ...withLogin(login),
    ...(tls && { tls: {} }),
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: ASK_LIMIT_MS,
    commandTimeout: ASK_LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
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
    if (!master) throw new AppError('queue_unavailable', { detail: `slot ${slot} has no master` });
    const nodes = ranges.flatMap(([, , ...servers]) => servers.map(addressOf));
    return { master: addressOf(master), nodes };
  } finally {
    redis.disconnect();
  }
}

/** ioredis tells an absent name from an undefined one. */
export function withLogin({ username, password }: RedisLogin) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

function withoutDoubles(nodes: readonly Address[]): Address[] {
  return [...new Map(nodes.map((node) => [`${node.host}:${node.port}`, node])).values()];
}
