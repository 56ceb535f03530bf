import { z } from 'zod';
import { caFile } from '../config/ca-file.js';
import { type Env, list, readEnv, storeUrl } from '../config/env.js';
import { ConfigError } from '../runtime/errors.js';

/**
 * Where Redis is: at one address, behind Sentinels, or in a cluster, where each key has one master.
 */
export type RedisTopology = RedisTrust &
  (
    | { readonly kind: 'single'; readonly url: string }
    | ({
        readonly kind: 'sentinel';
        readonly sentinels: readonly string[];
        /** The Sentinels' name for the master. */
        readonly name: string;
        /** Login for the Sentinels themselves. */
        readonly sentinelLogin: RedisLogin;
      } & RedisLogin)
    | ({ readonly kind: 'cluster'; readonly nodes: readonly string[] } & RedisLogin)
  );

/** The trusted authorities: this one (PEM) alone, or the public ones. */
export interface RedisTrust {
  readonly ca?: string;
}

/** For servers that are found rather than named; a single server has these in its address. */
export interface RedisLogin {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/**
 * `redis://host:port` or, with TLS, `rediss://host:port`, between commas; all of one kind, without
 * passwords.
 */
function addresses() {
  const one = storeUrl('redis:', 'rediss:');
  return list().refine(
    (urls) =>
      urls.every((url) => one.safeParse(url).success && isBare(new URL(url))) &&
      new Set(urls.map((url) => new URL(url).protocol)).size <= 1,
    'must be comma-separated addresses redis://host:port (or all rediss://), without credentials',
  );
}

function isBare({ username, password, pathname, search }: URL): boolean {
  return username + password + search === '' && (pathname === '' || pathname === '/');
}

const text = z.string().max(256).optional();

const redisEnv = {
  REDIS_URL: storeUrl('redis:', 'rediss:').optional(),
  PAYONCE_REDIS_SENTINELS: addresses(),
  PAYONCE_REDIS_SENTINEL_NAME: z.string().max(256).default('mymaster'),
  PAYONCE_REDIS_SENTINEL_USERNAME: text,
  PAYONCE_REDIS_SENTINEL_PASSWORD: text,
  PAYONCE_REDIS_CLUSTER_NODES: addresses(),
  PAYONCE_REDIS_USERNAME: text,
  PAYONCE_REDIS_PASSWORD: text,
  PAYONCE_REDIS_CA_FILE: caFile().optional(),
};

/** Exactly one of the three ways must be set. @throws ConfigError with all faults */
export function readRedisTopology(env: Env): RedisTopology {
  const read = readEnv(redisEnv, env);
  const login = { username: read.PAYONCE_REDIS_USERNAME, password: read.PAYONCE_REDIS_PASSWORD };
  const {
    REDIS_URL: url,
    PAYONCE_REDIS_SENTINELS: sentinels,
    PAYONCE_REDIS_CLUSTER_NODES: nodes,
  } = read;
  const trust = trustIn(read.PAYONCE_REDIS_CA_FILE, [url ?? '', ...sentinels, ...nodes]);
  const ways: RedisTopology[] = [];
  if (url !== undefined) ways.push({ kind: 'single', url, ...trust });
  if (sentinels.length > 0) {
    const sentinelLogin = {
      username: read.PAYONCE_REDIS_SENTINEL_USERNAME,
      password: read.PAYONCE_REDIS_SENTINEL_PASSWORD,
    };
    const name = read.PAYONCE_REDIS_SENTINEL_NAME;
    ways.push({ kind: 'sentinel', sentinels, name, sentinelLogin, ...login, ...trust });
  }
  if (nodes.length > 0) ways.push({ kind: 'cluster', nodes, ...login, ...trust });
  const [way, another] = ways;
  if (way === undefined) throw new ConfigError(['REDIS_URL: is not set']);
  if (another) {
    const name =
      another.kind === 'cluster' ? 'PAYONCE_REDIS_CLUSTER_NODES' : 'PAYONCE_REDIS_SENTINELS';
    throw new ConfigError([`${name}: is set together with another way to find Redis`]);
  }
  return way;
}

/** An authority implies TLS: an address without it is a mistake. */
function trustIn(ca: string | undefined, urls: readonly string[]): RedisTrust {
  if (ca === undefined) return {};
  if (!urls.some((url) => url.startsWith('rediss:'))) {
    throw new ConfigError(['PAYONCE_REDIS_CA_FILE: is set, but Redis is not at rediss://']);
  }
  return { ca };
}
