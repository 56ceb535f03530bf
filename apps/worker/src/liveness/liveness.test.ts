import { createLog } from '@payonce/core/runtime/log';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BATCH_LIMIT_MS, watchLiveness } from './liveness.js';

const log = createLog({ name: 'test', level: 'silent' });

/** A worker whose oldest batch has this age. */
function watch(oldestMs: number, answers: () => boolean) {
  let asked = 0;
  const liveness = watchLiveness({
    limitMs: 50,
    consumers: [],
    batches: { began: () => () => undefined, oldestMs: () => oldestMs },
    askDatabase: async () => 'down',
    askOnFreshConnection: async () => {
      asked += 1;
      return answers();
    },
    log,
  });
  onTestFinished(() => liveness.stop());
  return { liveness, asked: () => asked };
}

test('a batch that outlives its time-outs while the database answers on a fresh connection: not alive', async () => {
  const { liveness } = watch(BATCH_LIMIT_MS + 1, () => true);
  await vi.waitUntil(() => !liveness.isAlive());
});

test('while the database does not respond a batch may hang: a restart would not help', async () => {
  let answers = false;
  const { liveness, asked } = watch(BATCH_LIMIT_MS + 1, () => answers);
  await vi.waitUntil(() => asked() > 3);
  expect(liveness.isAlive()).toBe(true);
  answers = true;
  await vi.waitUntil(() => !liveness.isAlive());
});

test('a batch within its time-outs is alive, and the database is not asked on fresh connections', async () => {
  const { liveness, asked } = watch(BATCH_LIMIT_MS, () => true);
  await vi.waitUntil(() => liveness.isAlive());
  expect(asked()).toBe(0);
});
