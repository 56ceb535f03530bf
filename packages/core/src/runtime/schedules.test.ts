import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startSchedule } from './schedules.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const fail = (error: unknown) => {
  throw error;
};

describe('schedule', () => {
  test('repeats after the interval minus a random part', async () => {
    const at: number[] = [];
    const start = Date.now();
    const schedule = startSchedule({
      intervalMs: 1_000,
      random: () => 0.5,
      run: async () => {
        at.push(Date.now() - start);
        return false;
      },
      onError: fail,
    });
    await vi.advanceTimersByTimeAsync(2_400);
    expect(at).toEqual([500, 1_400, 2_300]);
    await schedule.stop();
  });

  test('a run that takes longer than the interval is never overlapped', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const schedule = startSchedule({
      intervalMs: 10,
      run: async () => {
        runs += 1;
        running += 1;
        most = Math.max(most, running);
        await new Promise((done) => setTimeout(done, 100));
        running -= 1;
        return false;
      },
      onError: fail,
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toBeGreaterThan(5);
    expect(most).toBe(1);
    const stopped = schedule.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
  });

  test('while there is more to do, the next run follows at once', async () => {
    let left = 4;
    const schedule = startSchedule({
      intervalMs: 1_000,
      random: () => 0,
      run: async () => {
        left -= 1;
        return left > 0;
      },
      onError: fail,
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(left).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(left).toBe(-1);
    await schedule.stop();
  });

  test('a failed run is reported and does not end the schedule', async () => {
    const errors: unknown[] = [];
    let runs = 0;
    const schedule = startSchedule({
      intervalMs: 100,
      random: () => 0,
      run: async () => {
        runs += 1;
        if (runs === 1) throw new Error('the store is away');
        return false;
      },
      onError: (error) => errors.push(error),
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(runs).toBe(2);
    expect(errors).toEqual([new Error('the store is away')]);
    await schedule.stop();
  });

  test('stopping waits for the present run, and no run follows it', async () => {
    let runs = 0;
    let end: () => void = () => {};
    const schedule = startSchedule({
      intervalMs: 10,
      random: () => 0,
      run: () => {
        runs += 1;
        return new Promise((resolve) => {
          end = () => resolve(true);
        });
      },
      onError: fail,
    });
    await vi.advanceTimersByTimeAsync(10);
    let stopped = false;
    const stopping = schedule.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(100);
    expect(stopped).toBe(false);
    end();
    await stopping;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toBe(1);
  });
});
