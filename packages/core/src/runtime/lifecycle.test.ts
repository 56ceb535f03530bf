import { expect, test } from 'vitest';
import { createLifecycle } from './lifecycle.js';
import { createLog } from './log.js';

const silent = createLog({ name: 'test', level: 'silent' });

test('the part that started last stops first, one after the other', async () => {
  const events: string[] = [];
  const lifecycle = createLifecycle(silent);
  for (const name of ['store', 'queue', 'server']) {
    lifecycle.onStop(name, async () => {
      events.push(`${name} stops`);
      await Promise.resolve();
      events.push(`${name} stopped`);
    });
  }
  await lifecycle.stop();
  expect(events).toEqual([
    'server stops',
    'server stopped',
    'queue stops',
    'queue stopped',
    'store stops',
    'store stopped',
  ]);
});

test('a part that cannot stop does not keep the others running', async () => {
  const stopped: string[] = [];
  const lines: string[] = [];
  const lifecycle = createLifecycle(
    createLog({ name: 'test' }, { write: (line) => lines.push(line) }),
  );
  lifecycle.onStop('store', () => void stopped.push('store'));
  lifecycle.onStop('server', () => Promise.reject(new Error('stuck')));
  await lifecycle.stop();
  expect(stopped).toEqual(['store']);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ part: 'server', err: expect.objectContaining({ message: 'stuck' }) }),
  ]);
});

test('nothing is stopped twice', async () => {
  let stops = 0;
  const lifecycle = createLifecycle(silent);
  lifecycle.onStop('store', () => {
    stops += 1;
  });
  await Promise.all([lifecycle.stop(), lifecycle.stop()]);
  await lifecycle.stop();
  expect(stops).toBe(1);
});
