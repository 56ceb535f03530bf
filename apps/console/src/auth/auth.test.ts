import { describe, expect, it } from 'vitest';
import { createLoginCheck, fingerprint, matches, randomToken } from './secrets.js';
import { createSessions } from './sessions.js';

const HOUR_MS = 3_600_000;

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
    const limits = { idleMs: HOUR_MS, lifetimeMs: 3 * HOUR_MS, max: 3 };
    return { clock, sessions: createSessions(limits, () => clock.now) };
  }

  it('are found by the ID that was given, and by no other', () => {
    const { sessions } = sessionsAt(0);
    const id = sessions.start('operator');
    expect(sessions.find(id)?.user).toBe('operator');
    expect(sessions.find('')).toBeNull();
    expect(sessions.find(`${id}x`)).toBeNull();
  });

  it('are over at once when ended', () => {
    const { sessions } = sessionsAt(0);
    const id = sessions.start('operator');
    sessions.end(id);
    expect(sessions.find(id)).toBeNull();
  });

  it('are over when unused for too long, and live on while used', () => {
    const { clock, sessions } = sessionsAt(0);
    const used = sessions.start('operator');
    const unused = sessions.start('operator');
    clock.now = HOUR_MS - 1;
    expect(sessions.find(used)).not.toBeNull();
    clock.now = HOUR_MS;
    expect(sessions.find(used)).not.toBeNull();
    expect(sessions.find(unused)).toBeNull();
  });

  it('are over after their lifetime, however much they are used', () => {
    const { clock, sessions } = sessionsAt(0);
    const id = sessions.start('operator');
    for (clock.now = 0; clock.now < 3 * HOUR_MS; clock.now += HOUR_MS / 2) {
      expect(sessions.find(id)).not.toBeNull();
    }
    expect(sessions.find(id)).toBeNull();
  });

  it('never grow beyond their bound: the oldest goes', () => {
    const { sessions } = sessionsAt(0);
    const ids = [1, 2, 3, 4].map(() => sessions.start('operator'));
    expect(ids.map((id) => sessions.find(id) !== null)).toEqual([false, true, true, true]);
  });

  it('have form tokens of their own', () => {
    const { sessions } = sessionsAt(0);
    const tokens = [1, 2].map(() => sessions.find(sessions.start('operator'))?.formToken);
    expect(new Set(tokens).size).toBe(2);
  });
});
