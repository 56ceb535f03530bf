import { describe, expect, it } from 'vitest';
import { createLoginCheck, fingerprint, matches, randomToken } from './secrets.js';
import { createSessions } from './sessions.js';

const HOUR_MS = 3_600_000;
const OPERATOR = { user: 'operator', role: 'admin', merchants: 'all', via: 'password' } as const;

describe('the login check', () => {
  it('accepts the configured user and password, and neither alone', async () => {
    const password = randomToken();
    const check = await createLoginCheck('operator', password);
    expect(await check('operator', password)).toBe(true);
    expect(await check('operator', `${password}x`)).toBe(false);
    expect(await check('operator', '')).toBe(false);
    expect(await check('Operator', password)).toBe(false);
    expect(await check('', password)).toBe(false);
  });

  it('accepts a password however its accents were typed', async () => {
    const check = await createLoginCheck('operator', 'caf\u00e9-caf\u00e9-caf\u00e9');
    expect(await check('operator', 'cafe\u0301-cafe\u0301-cafe\u0301')).toBe(true);
  });
});

describe('a key comparison', () => {
  it('accepts the same key and refuses every other length and content', () => {
    const key = randomToken();
    expect(matches(key, fingerprint(key))).toBe(true);
    for (const other of ['', key.slice(1), `${key}x`, randomToken()]) {
      expect(matches(other, fingerprint(key))).toBe(false);
    }
  });
});

describe('sessions', () => {
  function sessionsAt(start: number) {
    const clock = { now: start };
    const limits = { idleMs: HOUR_MS, lifetimeMs: 3 * HOUR_MS, max: 4, maxOfOne: 3 };
    return { clock, sessions: createSessions(limits, () => clock.now) };
  }

  it('are found by their ID, and by no other', () => {
    const { sessions } = sessionsAt(0);
    const id = sessions.start(OPERATOR);
    expect(sessions.find(id, 'use')?.user).toBe('operator');
    expect(sessions.find('', 'use')).toBeNull();
    expect(sessions.find(`${id}x`, 'use')).toBeNull();
  });

  it('end at once', () => {
    const { sessions } = sessionsAt(0);
    const id = sessions.start(OPERATOR);
    sessions.end(id);
    expect(sessions.find(id, 'use')).toBeNull();
  });

  it('expire after being unused for too long, and live on while used', () => {
    const { clock, sessions } = sessionsAt(0);
    const used = sessions.start(OPERATOR);
    const unused = sessions.start(OPERATOR);
    clock.now = HOUR_MS - 1;
    expect(sessions.find(used, 'use')).not.toBeNull();
    clock.now = HOUR_MS;
    expect(sessions.find(used, 'use')).not.toBeNull();
    expect(sessions.find(unused, 'use')).toBeNull();
  });

  it('are not kept alive by a check whether they have ended', () => {
    const { clock, sessions } = sessionsAt(0);
    const id = sessions.start(OPERATOR);
    clock.now = HOUR_MS - 1;
    expect(sessions.find(id, 'look')).not.toBeNull();
    clock.now = HOUR_MS;
    expect(sessions.find(id, 'look')).toBeNull();
  });

  it('end after their lifetime, however much they are used', () => {
    const { clock, sessions } = sessionsAt(0);
    const id = sessions.start(OPERATOR);
    for (clock.now = 0; clock.now < 3 * HOUR_MS; clock.now += HOUR_MS / 2) {
      expect(sessions.find(id, 'use')).not.toBeNull();
    }
    expect(sessions.find(id, 'use')).toBeNull();
  });

  it('never grow beyond their bound: the oldest is dropped', () => {
    const { sessions } = sessionsAt(0);
    const people = ['a', 'b', 'c', 'd', 'e'].map((user) => ({ ...OPERATOR, user }));
    const ids = people.map((person) => sessions.start(person));
    expect(ids.map((id) => sessions.find(id, 'use') !== null)).toEqual([
      false,
      ...[true, true, true, true],
    ]);
  });

  it('of one person, however many, push out no sessions of others', () => {
    const { sessions } = sessionsAt(0);
    const id = sessions.start(OPERATOR);
    // A program behind the proxy without cookies starts a new session with each request.
    const named = { ...OPERATOR, role: 'read', via: 'proxy' } as const;
    const others = [1, 2, 3, 4, 5].map(() => sessions.start(named));
    expect(sessions.find(id, 'use')?.via).toBe('password');
    expect(others.filter((one) => sessions.find(one, 'use') !== null)).toEqual(others.slice(2));
  });

  it('have separate form tokens', () => {
    const { sessions } = sessionsAt(0);
    const tokens = [1, 2].map(() => sessions.find(sessions.start(OPERATOR), 'use')?.formToken);
    expect(new Set(tokens).size).toBe(2);
  });
});
