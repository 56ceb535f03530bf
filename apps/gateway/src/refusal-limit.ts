import ipaddr from 'ipaddr.js';

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
 * Counts only the refused requests of each address. An address that sent a genuine notification is
 * not limited, whatever else comes from it. A forger behind the same proxy must not be able to shut
 * a provider out. A limited address may still send a few requests a minute, so that it recovers
 * once a missing key is added.
 */
export interface RefusalLimit {
  isLimited(address: string, nowMs: number): boolean;
  refused(address: string, nowMs: number): void;
  accepted(address: string, nowMs: number): void;
  readonly addresses: number;
}

interface Account {
  /** The refusals that remain. */
  tokens: number;
  countedAt: number;
  genuineAt: number;
}

/**
 * @param perMinute how many refusals an address may cause in a minute, and at once; 0 means no
 * limit
 */
export function createRefusalLimit(perMinute: number): RefusalLimit {
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
    refused(address, nowMs) {
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

/** IPv6 clients usually control a whole /64, so the limit is per /64. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!('parts' in parsed)) return parsed.toString();
  return parsed.parts.slice(0, 4).join(':');
}
