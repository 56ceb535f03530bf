import type { Role } from '@payonce/orders/access/api-keys';
import type { Merchants } from '@payonce/orders/access/merchants';
import { fingerprint, randomToken } from './secrets.js';

/** A person who may use the pages, with the role. */
export interface SessionUser {
  readonly user: string;
  readonly role: Role;
  /** The merchants whose data they may see. */
  readonly merchants: Merchants;
  /** `proxy`: an authenticating proxy names the person with every request. */
  readonly via: 'password' | 'proxy';
}

/** The result of an action, shown once on the next page. */
export interface Flash {
  readonly good: boolean;
  readonly text: string;
}

export interface Session extends SessionUser {
  /** Every form of this session must return it. */
  readonly formToken: string;
  flash: Flash | null;
}

/**
 * Sessions of this process. The cookie holds only a random ID, so logging out ends a session
 * permanently, and so does a restart. One console process serves its pages alone.
 */
export interface Sessions {
  /** @returns the new session's ID, for the cookie. */
  start(person: SessionUser): string;
  /** Null when unknown or expired. Using a session renews its idle time; looking at it does not. */
  find(id: string, how: 'use' | 'look'): Session | null;
  end(id: string): void;
}

export interface SessionLimits {
  /** The idle time after which it ends. */
  readonly idleMs: number;
  /** It ends after this time, however much it is used. */
  readonly lifetimeMs: number;
  /** Beyond it the oldest one is dropped: a bound for memory. */
  readonly max: number;
  /** The same per person, so that a program without cookies does not push out others. */
  readonly maxOfOne: number;
}

interface Kept {
  readonly session: Session;
  readonly endsAt: number;
  usedAt: number;
}

/** @param now milliseconds since 1970 */
export function createSessions(limits: SessionLimits, now: () => number): Sessions {
  // By fingerprint: the timing of a look-up by the ID itself could reveal it.
  const sessions = new Map<string, Kept>();
  const keyOf = (id: string) => fingerprint(id).toString('hex');
  const isOver = ({ endsAt, usedAt }: Kept) => now() >= endsAt || now() - usedAt >= limits.idleMs;

  return {
    start(person) {
      for (const [key, kept] of sessions) if (isOver(kept)) sessions.delete(key);
      const own = [...sessions].filter(
        ([, { session }]) => session.user === person.user && session.via === person.via,
      );
      const [ownOldest] = own.length >= limits.maxOfOne ? own : [];
      const [oldest] = sessions.size >= limits.max ? sessions : [];
      const leaves = ownOldest ?? oldest;
      if (leaves !== undefined) sessions.delete(leaves[0]);
      const id = randomToken();
      const startedAt = now();
      sessions.set(keyOf(id), {
        session: { ...person, formToken: randomToken(), flash: null },
        endsAt: startedAt + limits.lifetimeMs,
        usedAt: startedAt,
      });
      return id;
    },
    find(id, how) {
      const kept = sessions.get(keyOf(id));
      if (kept === undefined) return null;
      if (isOver(kept)) {
        sessions.delete(keyOf(id));
        return null;
      }
      if (how === 'use') kept.usedAt = now();
      return kept.session;
    },
    end: (id) => {
      sessions.delete(keyOf(id));
    },
  };
}
