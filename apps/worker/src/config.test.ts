import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '@payonce/core/config/env';
import { ConfigError } from '@payonce/core/runtime/errors';
import { bareBase64, generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from './config.js';

let folder: string;
let least: Env;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'payonce-worker-config-'));
  writeFileSync(join(folder, 'key.pem'), bareBase64(generateRsaKeyPair().publicKey));
  const file = join(folder, 'channels.yaml');
  writeFileSync(
    file,
    'channels: { shop: { provider: alipay, simulated: true, appId: "1", publicKeys: [{ file: key.pem }] } }',
  );
  least = {
    DATABASE_URL: 'postgresql://payonce:secret@127.0.0.1/payonce',
    REDIS_URL: 'redis://:secret@127.0.0.1:6379',
    PAYONCE_CHANNELS_FILE: file,
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function faultsOf(env: Env): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('configuration of the worker', () => {
  test('two addresses and a channel file are enough; every size has a default', () => {
    const config = readConfig(least);
    expect(config.privatePort).toBe(8602);
    expect(config.sizes).toEqual({ concurrency: 400, batchSize: 200, batchesInFlight: 3 });
    expect(config.queues.map((queue) => queue.kind)).toEqual(['redis']);
    expect([...config.channels.keys()]).toEqual(['shop']);
  });

  test('the database is checked for its durability unless the setting says managed', () => {
    expect(readConfig(least).databaseDurability).toBe('checked');
    const managed = { ...least, PAYONCE_DATABASE_DURABILITY: 'managed' };
    expect(readConfig(managed).databaseDurability).toBe('managed');
    const faults = faultsOf({ ...least, PAYONCE_DATABASE_DURABILITY: 'relaxed' });
    expect(faults.join()).toContain('PAYONCE_DATABASE_DURABILITY');
  });

  test('the Redis-free mode needs no Redis', () => {
    const { queues } = readConfig({
      ...least,
      REDIS_URL: undefined,
      PAYONCE_QUEUE: 'postgres',
      PAYONCE_QUEUE_DATABASE_URL: 'postgresql://queue:secret@127.0.0.1/payonce',
    });
    expect(queues.map((queue) => queue.kind)).toEqual(['postgres']);
  });

  test('with a standby, jobs are taken from both stores', () => {
    const { queues } = readConfig({
      ...least,
      PAYONCE_QUEUE_DATABASE_URL: 'postgresql://queue:secret@127.0.0.1/payonce',
    });
    expect(queues.map((queue) => queue.kind)).toEqual(['redis', 'postgres']);
  });

  test('all faults are reported at once, by name, and without a value', () => {
    const faults = faultsOf({
      DATABASE_URL: 'mysql://user:hunter2@db',
      PAYONCE_CHANNELS_FILE: join(folder, 'none.yaml'),
      PAYONCE_WORKER_BATCH_SIZE: '0',
      PAYONCE_WORKER_CONCURRENCY: 'many',
    });
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'PAYONCE_CHANNELS_FILE',
      'PAYONCE_WORKER_BATCH_SIZE',
      'PAYONCE_WORKER_CONCURRENCY',
    ]) {
      expect(faults.filter((fault) => fault.startsWith(`${name}:`))).toHaveLength(1);
    }
    expect(faults.join()).not.toMatch(/hunter2|many|none\.yaml/);
  });

  test('NODE_ENV=production refuses simulated channels', () => {
    expect(faultsOf(least)).toEqual([]);
    const faults = faultsOf({ ...least, NODE_ENV: 'production' });
    expect(faults.join()).toContain('channels.shop.simulated');
  });
});
