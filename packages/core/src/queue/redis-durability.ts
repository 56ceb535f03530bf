import type { Redis } from 'ioredis';

/**
 * The settings with which a reply of Redis means "on disk": it flushes every write before it
 * responds, also while it rewrites the log, and evicts nothing.
 * https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
const DEMANDED = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
} as const;

export interface RedisReport {
  /** Null when Redis refuses `CONFIG`. */
  readonly settings: Readonly<Record<string, string>> | null;
  readonly role: string;
  readonly connectedReplicas: number;
  /** The replicas that have caught up: `WAIT` does not count a replica that is loading. */
  readonly onlineReplicas: number;
}

/** Asks Redis. @throws when it does not respond */
export async function readRedisReport(redis: Redis): Promise<RedisReport> {
  const [settings, replication] = await Promise.all([
    readSettings(redis),
    redis.info('replication'),
  ]);
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(replication)?.[1];
  return {
    settings,
    role: field('role') ?? 'unknown',
    connectedReplicas: Number(field('connected_slaves') ?? 0),
    onlineReplicas: replication.match(/^slave\d+:.*state=online/gm)?.length ?? 0,
  };
}

/**
 * A full Redis refuses the workers as well, which then could not dequeue. So the last tenth is
 * reserved for them.
 */
const FULL_AT = 0.9;

/**
 * The reason against adding more, or null. Null too when Redis refuses to answer. @throws when it
 * does not respond
 */
export async function memoryFault(redis: Redis): Promise<string | null> {
  const memory = await orRefused(redis.info('memory'));
  if (memory === null) return null;
  const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  const share = bytes('used_memory') / bytes('maxmemory');
  if (bytes('maxmemory') === 0 || share < FULL_AT) return null;
  return `${Math.floor(share * 100)} % of maxmemory is used`;
}

/** Null when Redis responds with a refusal. Any other failure (no response) is thrown. */
async function orRefused<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}

async function readSettings(redis: Redis): Promise<Record<string, string> | null> {
  // One name per call: Redis before 7.0 takes no more.
  const asked = Object.keys(DEMANDED).map((name) => redis.config('GET', name) as Promise<string[]>);
  const responses = await orRefused(Promise.all(asked));
  return responses && Object.fromEntries(responses.map(([name, value]) => [name, value]));
}

/**
 * The reasons why a Redis with this report may lose acknowledged jobs; empty if it may not. A
 * replica can be promoted at any time, so once one is connected a job must have reached one.
 */
export function durabilityFaults(report: RedisReport, waitReplicas: number): string[] {
  if (report.role !== 'master') return [`role is ${report.role}`];
  const faults: string[] = [];
  const { settings } = report;
  if (!settings) faults.push('Redis refuses CONFIG');
  else {
    for (const [name, value] of Object.entries(DEMANDED)) {
      if (settings[name] !== value)
        faults.push(`${name} is ${settings[name] ?? 'unknown'}, not ${value}`);
    }
  }
  if (report.connectedReplicas > 0 && waitReplicas < 1) {
    faults.push('replicas are connected, but PAYONCE_REDIS_WAIT_REPLICAS is 0');
  }
  if (report.onlineReplicas < waitReplicas) {
    faults.push(`${report.onlineReplicas} of ${waitReplicas} replicas are online`);
  }
  return faults;
}
