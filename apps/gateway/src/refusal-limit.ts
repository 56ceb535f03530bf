import ipaddr from 'ipaddr.js';

/** Addresses of one generation; two are remembered, and one that was forgotten begins anew. About two megabytes. */
const GENERATION = 5_000;
/** A quiet shop hears from its provider once a day. */
const GENUINE_MS = 24 * 3_600_000;
const NEVER = Number.NEGATIVE_INFINITY;
const MINUTE_MS = 60_000;

/**
 * Counts what each address had refused, and nothing else. An address that sent something genuine is not limited,
 * whatever else comes from there: a forger behind the same proxy must not be able to shut a provider out. One that
 * is limited is heard a few times a minute all the same, so that a key that was missing here can be put right.
 */
export interface RefusalLimit {
  isLimited(address: string, nowMs: number): boolean;
  refused(address: string, nowMs: number): void;
  accepted(address: string, nowMs: number): void;
  readonly addresses: number;
}

interface Account {
  /** Refusals that are left. */
  tokens: number;
  countedAt: number;
  genuineAt: number;
}

/** @param perMinute how many refusals an address may cause in a minute, and at once; 0: any number */
export function createRefusalLimit(perMinute: number): RefusalLimit {
  // Whoever is used moves to the young; when these are many, the old are forgotten.
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

/** Of IPv6 whoever has one address has the 2^64 beside it. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!('parts' in parsed)) return parsed.toString();
  return parsed.parts.slice(0, 4).join(':');
}
