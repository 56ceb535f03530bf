import { findLiveKey, noteUse, type Role } from '@payonce/orders/access/api-keys';
import type { Merchants } from '@payonce/orders/access/merchants';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { fingerprint, matches, randomToken } from './secrets.js';

/** The actor: a person who has logged in, or the bearer key of a program. */
export interface Actor {
  /** For audit rows. A person's name; a key's begins with `key:`. */
  readonly name: string;
  readonly role: Role;
  /** The merchants whose data it may access. */
  readonly merchants: Merchants;
}

/** Lets people, and scanners for leaked secrets, recognise it. */
const PREFIX = 'payonce_';
/** Part of the random characters: enough to tell keys apart, and 232 bits remain secret. */
const HINT_CHARACTERS = 4;

/** The name of the key in `PAYONCE_CONSOLE_API_KEY`; no other key can have it. */
export const BOOTSTRAP_NAME = 'bootstrap';

/** A new bearer key: show `secret` once and never store it. */
export function newBearerKey() {
  const secret = `${PREFIX}${randomToken()}`;
  return {
    secret,
    keyHash: hashOf(secret),
    hint: secret.slice(0, PREFIX.length + HINT_CHARACTERS),
  };
}

export type CheckBearer = (bearer: string) => Promise<Actor | null>;

/** @param bootstrapKey the key of the configuration, which has every right */
export function createBearerCheck(
  deps: DatabaseDeps,
  bootstrapKey: string | undefined,
): CheckBearer {
  const bootstrap = bootstrapKey === undefined ? null : fingerprint(bootstrapKey);
  return async (bearer) => {
    if (bootstrap && matches(bearer, bootstrap)) {
      return { name: nameOfKey(BOOTSTRAP_NAME), role: 'admin', merchants: 'all' };
    }
    if (!bearer.startsWith(PREFIX)) return null;
    // A key of 256 random bits may be looked up by its hash: the timing reveals no key.
    const key = await findLiveKey(deps, hashOf(bearer));
    if (key === null) return null;
    await noteUse(deps, key);
    return { name: nameOfKey(key.name), role: key.role, merchants: key.merchants };
  };
}

function nameOfKey(name: string): string {
  return `key:${name}`;
}

function hashOf(secret: string): string {
  return fingerprint(secret).toString('hex');
}
