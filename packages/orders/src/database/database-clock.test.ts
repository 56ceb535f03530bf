import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDatabaseClock } from './database-clock.js';

const YEAR_MS = 365 * 86_400_000;
/** The database's time at the beginning of each test. */
const T0 = Date.UTC(2026, 0, 1);

function setting() {
  const time = { monotonicMs: 1_000, ownMs: T0, databaseMs: T0 };
  const clock = createDatabaseClock(
    () => time.monotonicMs,
    () => time.ownMs,
  );
  const pass = (ms: number) => {
    for (const name of ['monotonicMs', 'ownMs', 'databaseMs'] as const) time[name] += ms;
  };
  /** @param there part of the round trip that passes before the database reads its clock */
  const ask = (roundTripMs = 2, there = 0.5) => {
    const askedAt = time.monotonicMs;
    pass(roundTripMs * there);
    const { databaseMs } = time;
    pass(roundTripMs * (1 - there));
    clock.add({ askedAt, respondedAt: time.monotonicMs, databaseMs });
  };
  const errorMs = () => clock.now().getTime() - time.databaseMs;
  return { time, clock, pass, ask, errorMs };
}

test('before the first response there is no time', () => {
  const { clock } = setting();
  expect(() => clock.now()).toThrow('The database does not respond');
  expect(clock.differenceMs()).toBeNull();
});

test("a jump of the process's clock, ahead or back, changes nothing and is reported", () => {
  const { time, clock, pass, ask, errorMs } = setting();
  ask();
  time.ownMs += YEAR_MS;
  pass(4_000);
  expect(Math.abs(errorMs())).toBeLessThanOrEqual(1);
  expect(clock.differenceMs()).toBeCloseTo(YEAR_MS, -1);
  time.ownMs -= 2 * YEAR_MS;
  expect(Math.abs(errorMs())).toBeLessThanOrEqual(1);
  expect(clock.differenceMs()).toBeCloseTo(-YEAR_MS, -1);
});

test('the time is never wrong by more than half of the shortest round trip', () => {
  const answer = fc.record({
    roundTripMs: fc.double({ min: 0.5, max: 2_000, noNaN: true }),
    there: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 8 }), (answers) => {
      const { pass, ask, errorMs } = setting();
      for (const { roundTripMs, there } of answers) {
        ask(roundTripMs, there);
        pass(5_000);
      }
      const shortest = Math.min(...answers.map(({ roundTripMs }) => roundTripMs));
      expect(Math.abs(errorMs())).toBeLessThanOrEqual(shortest / 2 + 1);
    }),
  );
});

test('after a fail-over the new server’s clock counts at once, however slowly it responds', () => {
  const { time, pass, ask, errorMs } = setting();
  for (let n = 0; n < 8; n += 1) ask(1);
  time.databaseMs += 90_000;
  pass(1_000);
  ask(400, 0.5);
  expect(Math.abs(errorMs())).toBeLessThanOrEqual(1);
  time.databaseMs -= 3_600_000;
  ask(400, 0.5);
  expect(Math.abs(errorMs())).toBeLessThanOrEqual(1);
});
