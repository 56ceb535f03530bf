import { expect, test, vi } from 'vitest';
import { database } from './migration-support.js';

test('the engine can be loaded twice in one process: both use one instance', async () => {
  const { url } = await database('migrated');
  const first = await import('./drift.js');
  await first.checkDrift({ databaseUrl: url });
  vi.resetModules();
  const second = await import('./drift.js');
  expect(second.checkDrift).not.toBe(first.checkDrift);
  // Both at once: with two instances, the first would work in the other's memory.
  const again = await Promise.all(
    [first, second].map(({ checkDrift }) => checkDrift({ databaseUrl: url })),
  );
  expect(again).toEqual([{ drifted: false }, { drifted: false }]);
});
