import { ConfigError } from '@payonce/core/config/env';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.js';

const least = {
  DATABASE_URL: 'postgresql://payonce:secret@127.0.0.1/payonce',
  REDIS_URL: 'redis://:secret@127.0.0.1:6379',
};

describe('configuration of the worker', () => {
  test('two addresses are enough; every size has a default', () => {
    const config = readConfig(least);
    expect(config.privatePort).toBe(8602);
    expect(config.sizes).toEqual({ concurrency: 400, batchSize: 200, batchesInFlight: 3 });
    expect(config.queues.map((queue) => queue.kind)).toEqual(['redis']);
    expect(config.production).toBe(false);
  });

  test('the Redis-free mode needs no Redis', () => {
    const { queues } = readConfig({
      DATABASE_URL: least.DATABASE_URL,
      PAYONCE_QUEUE: 'postgres',
      PAYONCE_QUEUE_DATABASE_URL: 'postgresql://queue:secret@127.0.0.1/payonce',
    });
    expect(queues.map((queue) => queue.kind)).toEqual(['postgres']);
  });

  test('every fault is told at once, by name, and no value with it', () => {
    const bad = {
      DATABASE_URL: 'mysql://user:hunter2@db',
      PAYONCE_WORKER_BATCH_SIZE: '0',
      PAYONCE_WORKER_CONCURRENCY: 'many',
    };
    let thrown: unknown;
    try {
      readConfig(bad);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    const { faults } = thrown as ConfigError;
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'PAYONCE_WORKER_BATCH_SIZE',
      'PAYONCE_WORKER_CONCURRENCY',
    ]) {
      expect(faults.filter((fault) => fault.startsWith(`${name}:`))).toHaveLength(1);
    }
    expect(faults.join()).not.toMatch(/hunter2|many/);
  });

  test('NODE_ENV=production refuses simulated channels', () => {
    expect(readConfig({ ...least, NODE_ENV: 'production' }).production).toBe(true);
  });
});
