import { freshDatabase } from '@payonce/testkit/database';
import { expect, inject, onTestFinished, test, vi } from 'vitest';

test('the module can be loaded twice in one process: both use one engine', async () => {
  const fresh = await freshDatabase({ postgresUrl: inject('postgresUrl'), templateDatabase: null });
  onTestFinished(fresh.drop);
  const first = await import('../migrate.js');
  await first.migrate({ databaseUrl: fresh.url });
  vi.resetModules();
  const second = await import('../migrate.js');
  expect(second.migrate).not.toBe(first.migrate);
  // Both at once: with an instance each, the one that was made first would work in the other's memory.
  const again = await Promise.all(
    [first, second].map(({ migrate }) => migrate({ databaseUrl: fresh.url })),
  );
  expect(again.map(({ applied }) => applied)).toEqual([[], []]);
});
