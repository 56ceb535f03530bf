import { readFileSync, writeFileSync } from 'node:fs';
import { makeRedisAccess, type OwnRedisAccess } from '@payonce/testkit/stores/redis-access';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { maskedSummary } from '../config/env.js';
import { readQueueSettings } from './queue-settings.js';
import { readRedisTopology } from './redis-settings.js';

const NODES = 'redis://10.0.0.1:7001, redis://10.0.0.2:7001';
const cluster = { PAYONCE_REDIS_CLUSTER_NODES: NODES };
const sentinels = { PAYONCE_REDIS_SENTINELS: 'rediss://s1,rediss://s2:26380' };

test('a cluster is configured by some of its nodes, with one login for all', () => {
  const env = { ...cluster, PAYONCE_REDIS_USERNAME: 'u', PAYONCE_REDIS_PASSWORD: 'p' };
  expect(readRedisTopology(env)).toEqual({
    kind: 'cluster',
    nodes: ['redis://10.0.0.1:7001', 'redis://10.0.0.2:7001'],
    username: 'u',
    password: 'p',
  });
});

test('Sentinels are asked for a master by name, and have a separate login', () => {
  const login = { PAYONCE_REDIS_SENTINEL_USERNAME: 'u', PAYONCE_REDIS_SENTINEL_PASSWORD: 'p' };
  const topology = readRedisTopology({ ...sentinels, ...login });
  const sentinelLogin = { username: 'u', password: 'p' };
  expect(topology).toMatchObject({ kind: 'sentinel', name: 'mymaster', sentinelLogin });
});

test('where replicas can be promoted, at least one must have the acknowledged jobs', () => {
  for (const env of [cluster, sentinels]) {
    const fault = /^PAYONCE_REDIS_WAIT_REPLICAS: must be at least 1/;
    expect(() => readQueueSettings(env)).toThrow(
      expect.objectContaining({ faults: [expect.stringMatching(fault)] }),
    );
    const [store] = readQueueSettings({ ...env, PAYONCE_REDIS_WAIT_REPLICAS: '1' });
    expect(store).toMatchObject({ waitReplicas: 1 });
  }
});

test.each([
  ['no way to find Redis', {}, 'REDIS_URL'],
  ['two ways', { ...cluster, REDIS_URL: 'redis://h' }, 'PAYONCE_REDIS_CLUSTER_NODES'],
  ['two ways', { ...sentinels, REDIS_URL: 'redis://h' }, 'PAYONCE_REDIS_SENTINELS'],
  ['no scheme', { PAYONCE_REDIS_CLUSTER_NODES: 'h:7001' }, 'PAYONCE_REDIS_CLUSTER_NODES'],
  ['a password', { PAYONCE_REDIS_SENTINELS: 'redis://:s3cret@h' }, 'PAYONCE_REDIS_SENTINELS'],
  ['a database', { PAYONCE_REDIS_CLUSTER_NODES: 'redis://h/1' }, 'PAYONCE_REDIS_CLUSTER_NODES'],
  ['TLS and none', { PAYONCE_REDIS_SENTINELS: 'redis://a,rediss://b' }, 'PAYONCE_REDIS_SENTINELS'],
])('%s is refused by name, and without its value', (_, env, name) => {
  const fault = expect.stringMatching(new RegExp(`^${name}: (?!.*s3cret)`));
  expect(() => readRedisTopology(env)).toThrow(expect.objectContaining({ faults: [fault] }));
});

let access: OwnRedisAccess;
let pem: string;
beforeAll(async () => {
  access = await makeRedisAccess();
  pem = readFileSync(access.caFile, 'utf8');
});
afterAll(() => access.remove());

/** The same file each time. */
function caFile(text: string): Record<string, string> {
  writeFileSync(access.caFile, text);
  return { PAYONCE_REDIS_CA_FILE: access.caFile };
}

test('a private authority is read from a file, several as well, and the log has none of it', () => {
  const bundle = `# two of them\n${pem}${pem}`;
  const topology = readRedisTopology({ ...sentinels, ...caFile(bundle) });
  expect(topology.ca).toBe(bundle);
  expect(maskedSummary({ topology })).toMatchObject({ topology: { ca: '(PEM)' } });
});

test('an unreadable or useless authority is refused by name', () => {
  const key = readFileSync(access.keyFile, 'utf8');
  const broken = pem.replace(/^(?!-)..../m, 'AAAA');
  expectFault({ ...sentinels, PAYONCE_REDIS_CA_FILE: '/not/there.pem' }, 'cannot be read');
  for (const text of ['', key, pem + key, pem + broken]) {
    expectFault({ ...sentinels, ...caFile(text) }, 'is no certificate');
  }
  expectFault({ ...cluster, ...caFile(pem) }, 'rediss://');
});

function expectFault(env: Record<string, string>, why: string): void {
  const fault = expect.stringMatching(new RegExp(`^PAYONCE_REDIS_CA_FILE: .*${why}`));
  const faults = expect.objectContaining({ faults: [fault] });
  expect(() => readRedisTopology(env)).toThrow(faults);
}
