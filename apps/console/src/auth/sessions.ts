import { fingerprint, randomToken } from './secrets.js';

export interface Session {
  readonly user: string;
  /** Must come back with every form of this session. */
  readonly formToken: string;
}

/**
 * Sessions of this process: the cookie holds a random ID and nothing else, so logging out ends a
 * session for good, and so does a restart. One console process serves its pages alone.
 */
export interface Sessions {
  /** @returns the new session's ID, for the cookie. */
  start(user: string): string;
  /** Null when unknown or expired. Using a session keeps it from idling out. */
  find(id: string): Session | null;
  end(id: string): void;
}

export interface SessionLimits {
  /** Unused for this long, it is over. */
  readonly idleMs: number;
  /** Over after this long however much it is used. */
  readonly lifetimeMs: number;
  /** The oldest one goes when there are more: a bound for memory. */
  readonly max: number;
}

interface Kept extends Session {
  readonly endsAt: number;
  usedAt: number;
}

/** @param now milliseconds since 1970 */
export function createSessions(limits: SessionLimits, now: () => number): Sessions {
  // By fingerprint: a look-up by the ID itself could be timed.
  const sessions = new Map<string, Kept>();
  const keyOf = (id: string) => fingerprint(id).toString('hex');
  const isOver = (session: Kept) =>
    now() >= session.endsAt || now() - session.usedAt >= limits.idleMs;

  return {
    start(user) {
      for (const [key, session] of sessions) {
        if (isOver(session) || sessions.size >= limits.max) sessions.delete(key);
      }
      const id = randomToken();
      const startedAt = now();
      sessions.set(keyOf(id), {
        user,
        formToken: randomToken(),
        endsAt: startedAt + limits.lifetimeMs,
        usedAt: startedAt,
      });
      return id;
    },
    find(id) {
      const session = sessions.get(keyOf(id));
      if (session === undefined) return null;
      if (isOver(session)) {
        sessions.delete(keyOf(id));
        return null;
      }
      session.usedAt = now();
      return session;
    },
    end(id) {
      sessions.delete(keyOf(id));
    },
  };
}
