import type { Log } from '@payonce/core/runtime/log';
import type { ProviderDefinition, ProviderReply } from '@payonce/providers/provider';
import type { FastifyInstance } from 'fastify';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { networkOf } from './network-of.js';
import { definitionAt } from './refuse-unknown.js';
import { sendReply } from './send-reply.js';

/**
 * Addresses of one generation. Two generations are kept; a forgotten address starts with a full
 * budget. About two megabytes.
 */
const GENERATION = 5_000;
/** A quiet shop hears from its provider once a day. */
const GENUINE_MS = 24 * 3_600_000;
const NEVER = Number.NEGATIVE_INFINITY;
const MINUTE_MS = 60_000;

/**
 * Counts only the requests of each address that got a 4xx reply. An address that sent a genuine
 * notification is not limited, whatever else comes from it. A forger behind the same proxy must not
 * be able to shut a provider out. A limited address may still send a few requests a minute, so that
 * it recovers once a missing key is added.
 */
export interface RejectionRateLimit {
  isLimited(address: string, nowMs: number): boolean;
  rejected(address: string, nowMs: number): void;
  accepted(address: string, nowMs: number): void;
  readonly addresses: number;
}

interface Account {
  /** The rejections that remain. */
  tokens: number;
  countedAt: number;
  genuineAt: number;
}

/**
 * @param perMinute how many rejections an address may cause in a minute, and at once; 0 means no
 * limit
 */
export function createRejectionRateLimit(perMinute: number): RejectionRateLimit {
  // A used address moves to the young generation. When that is full, the old one is dropped.
  let young = new Map<string, Account>();
  let old = new Map<string, Account>();

  const known = (key: string) => young.get(key) ?? old.get(key);

  function use(key: string, nowMs: number): Account {
    const account = known(key) ?? { tokens: perMinute, countedAt: nowMs, genuineAt: NEVER };
    if (young.size >= GENERATION && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, account);
    const earned = ((nowMs - account.countedAt) / MINUTE_MS) * perMinute;
    account.tokens = Math.min(perMinute, account.tokens + earned);
    account.countedAt = nowMs;
    return account;
  }

  return {
    isLimited(address, nowMs) {
      const key = networkOf(address);
      if (!known(key)) return false;
      const { tokens, genuineAt } = use(key, nowMs);
      return tokens < 1 && nowMs - genuineAt > GENUINE_MS;
    },
    rejected(address, nowMs) {
      if (perMinute === 0) return;
      const account = use(networkOf(address), nowMs);
      account.tokens = Math.max(0, account.tokens - 1);
    },
    accepted(address, nowMs) {
      if (perMinute > 0) use(networkOf(address), nowMs).genuineAt = nowMs;
    },
    get addresses() {
      return young.size + old.size;
    },
  };
}

const TOO_MANY: ProviderReply = { status: 429, contentType: null, body: '' };

/**
 * An address with too many rejected requests gets 429, and its request is not read: a flood of
 * forgeries costs neither memory nor signatures. Every 4xx reply counts but 429, or the address
 * would stay blocked permanently. A 503 does not count either, since it is our fault.
 */
export function limitRejections(
  app: FastifyInstance,
  definitions: readonly ProviderDefinition[],
  limit: RejectionRateLimit,
  { metrics, log }: { readonly metrics: GatewayMetrics; readonly log: Log },
): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!limit.isLimited(request.ip, performance.now())) return;
    log.debug({ ip: request.ip }, 'request.limited');
    const definition = definitionAt(request.url, definitions);
    metrics.refused.inc({ status: '429' });
    return sendReply(reply, definition?.reply({ outcome: 'refused', status: 429 }) ?? TOO_MANY);
  });
  app.addHook('onSend', async ({ ip }, { statusCode }) => {
    if (statusCode < 400) limit.accepted(ip, performance.now());
    else if (statusCode < 500 && statusCode !== 429) limit.rejected(ip, performance.now());
  });
}
