import { expect, test } from 'vitest';
import type { RedisStoreSettings } from './queue-settings.js';
import { queueName, queuesOf, shardIndex, shardsOf } from './shards.js';

const store: RedisStoreSettings = {
  kind: 'redis',
  topology: { kind: 'single', url: 'redis://h' },
  prefix: 'payonce',
  durability: 'checked',
  waitReplicas: 0,
  shards: 3,
};

test('the first shard has the keys of an unsharded queue, so the number can be raised', () => {
  const prefixes = shardsOf(store).map(({ prefix }) => prefix);
  expect(prefixes).toEqual(['payonce', '{payonce-1}', '{payonce-2}']);
  expect(queuesOf([store]).map(queueName)).toEqual(['redis', 'redis-1', 'redis-2']);
});

test('in a cluster each shard has a separate hash tag, whatever the prefix is', () => {
  const topology = {
    kind: 'cluster',
    nodes: ['redis://h'],
    username: undefined,
    password: undefined,
  };
  for (const prefix of ['payonce', '{payonce}']) {
    const shards = shardsOf({ ...store, prefix, topology: { ...topology, kind: 'cluster' } });
    expect(shards.map((shard) => shard.prefix)).toEqual([
      '{payonce-0}',
      '{payonce-1}',
      '{payonce-2}',
    ]);
  }
});

test('an order has one shard, and orders spread evenly', () => {
  const counts = [0, 0, 0, 0];
  for (let number = 0; number < 4_000; number += 1) {
    const index = shardIndex(`order-${number}`, counts.length);
    expect(shardIndex(`order-${number}`, counts.length)).toBe(index);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
