import { eventually } from '@payonce/testkit/machine/poll';
import { startOwnRedis } from '@payonce/testkit/stores/redis-server';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { shortenLog } from '../src/redis-log.js';

test('a rewrite that Redis has begun is awaited, and the data of that time leaves the log', async () => {
  // A rewrite of two thousand keys takes two seconds.
  const own = await startOwnRedis({ 'rdb-key-save-delay': '1000' });
  onTestFinished(() => own.remove());
  const redis = new Redis(own.url);
  onTestFinished(() => redis.disconnect());
  await redis.mset(Array.from({ length: 2_000 }, (_, key) => [`key:${key}`, 'value']).flat());
  const size = async () =>
    Number(/aof_current_size:(\d+)/.exec(await redis.info('persistence'))?.[1]);
  await redis.bgrewriteaof();
  await eventually(async () => {
    expect(await redis.info('persistence')).toContain('aof_rewrite_in_progress:1');
  });
  await expect(redis.bgrewriteaof()).rejects.toThrow(/already in progress/);
  await redis.flushall();
  await shortenLog(redis);
  expect(await redis.info('persistence')).toContain('aof_rewrite_in_progress:0');
  expect(await size()).toBeLessThan(1_000);
});
