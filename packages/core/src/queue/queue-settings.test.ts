import { expect, test } from 'vitest';
import { ConfigError } from '../runtime/errors.js';
import { readQueueSettings } from './queue-settings.js';

const redis = {
  kind: 'redis',
  topology: { kind: 'single', url: 'redis://h' },
  prefix: 'payonce',
  durability: 'checked',
  waitReplicas: 0,
  shards: 1,
};
const postgres = { kind: 'postgres', url: 'postgres://h/d', schema: 'payonce_queue' };

test('Redis is the queue by default, and its durability is checked', () => {
  expect(readQueueSettings({ REDIS_URL: 'redis://h' })).toEqual([redis]);
});

test('Redis has a standby as soon as its address is set', () => {
  const env = { REDIS_URL: 'redis://h', PAYONCE_QUEUE_DATABASE_URL: 'postgres://h/d' };
  expect(readQueueSettings(env)).toEqual([redis, postgres]);
});

test('the PostgreSQL queue has a separate address and schema, and needs no Redis', () => {
  const env = { PAYONCE_QUEUE: 'postgres', PAYONCE_QUEUE_DATABASE_URL: 'postgres://h/d' };
  expect(readQueueSettings(env)).toEqual([postgres]);
  expect(readQueueSettings({ ...env, REDIS_URL: 'redis://h' })).toEqual([postgres]);
});

test.each([
  [{}, 'REDIS_URL'],
  [{ PAYONCE_QUEUE: 'postgres', REDIS_URL: 'redis://h' }, 'PAYONCE_QUEUE_DATABASE_URL'],
  [{ PAYONCE_QUEUE: 'kafka' }, 'PAYONCE_QUEUE'],
  [{ REDIS_URL: 'redis://h', PAYONCE_REDIS_DURABILITY: 'none' }, 'PAYONCE_REDIS_DURABILITY'],
  [{ REDIS_URL: 'redis://h', PAYONCE_REDIS_WAIT_REPLICAS: '-1' }, 'PAYONCE_REDIS_WAIT_REPLICAS'],
  [{ REDIS_URL: 'redis://h', PAYONCE_QUEUE_PREFIX: 'a:b' }, 'PAYONCE_QUEUE_PREFIX'],
  [{ REDIS_URL: 'redis://h', PAYONCE_QUEUE_SHARDS: '0' }, 'PAYONCE_QUEUE_SHARDS'],
  [{ REDIS_URL: 'redis://h', PAYONCE_QUEUE_SHARDS: '65' }, 'PAYONCE_QUEUE_SHARDS'],
  [{ REDIS_URL: 'redis://h', PAYONCE_QUEUE_SCHEMA: 'a"b' }, 'PAYONCE_QUEUE_SCHEMA'],
])('%j is refused by name: %s', (env, name) => {
  const run = () => readQueueSettings(env);
  expect(run).toThrow(ConfigError);
  expect(run).toThrow(expect.objectContaining({ faults: [expect.stringMatching(`^${name}: `)] }));
});
