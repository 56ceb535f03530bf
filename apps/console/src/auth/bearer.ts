import { findLiveKey, noteUse, type Role } from '@payonce/core/access/api-keys';
import type { Merchants } from '@payonce/core/access/merchants';
import type { DatabaseDeps } from '@payonce/core/database/deps';
import { fingerprint, matches, randomToken } from './secrets.js';

/** Who does something: a person who has logged in, or the bearer key of a program. */
export interface Actor {
  /** For audit rows. A person's own name; a key's begins with `key:`. */
  readonly name: string;
  readonly role: Role;
  /** Whose data it is let in to. */
  readonly merchants: Merchants;
}

/** Lets people, and programs that look for leaked secrets, see what it is. */
const PREFIX = 'payonce_';
/** Of the random part: enough to tell keys apart, and 232 bits remain unsaid. */
const HINT_CHARACTERS = 4;

/** The key of `PAYONCE_CONSOLE_API_KEY`; no other one can have its name. */
export const BOOTSTRAP_NAME = 'bootstrap';

/** A new bearer key: `secret` is to be shown once and never stored. */
export function newBearerKey() {
  const secret = `${PREFIX}${randomToken()}`;
  return {
    secret,
    keyHash: hashOf(secret),
    hint: secret.slice(0, PREFIX.length + HINT_CHARACTERS),
  };
}

export type CheckBearer = (bearer: string) => Promise<Actor | null>;

/** @param bootstrapKey the key of the configuration, which may do everything */
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
    // A key of 256 random bits may be looked up by its hash: nobody learns a key from the time it takes.
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
