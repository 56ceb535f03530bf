import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { listen } from '@payonce/testkit/machine/listening';
import { eventually } from '@payonce/testkit/machine/poll';
import { makeRedisAccess } from '@payonce/testkit/stores/redis-access';
import type { Redis } from 'ioredis';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { connectReader, producerRedis } from './connection.js';
import { sentinelDiscovery } from './redis-discovery.js';
import type { RedisTarget } from './redis-target.js';

const nobody = { username: undefined, password: undefined };
afterEach(() => void vi.unstubAllEnvs());

async function portOf(server: Server): Promise<number> {
  const { port, close } = await listen(server, { host: 'localhost' });
  onTestFinished(close);
  return port;
}

/** Accepts connections, answers nothing, and keeps its side open. */
function hangs(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).resume();
  });
  return portOf(server);
}

function behindSentinels(...sentinels: string[]): RedisTarget {
  const topology = { kind: 'sentinel', sentinels, name: 'm', sentinelLogin: nobody } as const;
  return { topology: { ...topology, ...nobody }, key: 'any' };
}

function follow(redis: Redis) {
  const errors: string[] = [];
  redis.on('error', ({ message }) => errors.push(message));
  onTestFinished(() => redis.disconnect());
  return { redis, errors };
}

test('a Sentinel that hangs is dropped after a second, without waiting for it to close', async () => {
  const port = await hangs();
  const discovery = sentinelDiscovery([], 'm', { login: nobody, tls: null });
  const start = performance.now();
  await expect(discovery.ask({ host: 'localhost', port })).rejects.toThrow('Command timed out');
  expect(performance.now() - start).toBeLessThan(2_500);
});

test('a client that is told to reconnect while it asks Sentinels does so', async () => {
  const port = await hangs();
  const { redis, errors } = follow(producerRedis(behindSentinels(`redis://localhost:${port}`)));
  expect(redis.status).toBe('connecting');
  redis.disconnect(true);
  await eventually(() => expect(redis.status).toBe('reconnecting'));
  await eventually(() => expect(errors).toContain('no Sentinel names a master: Command timed out'));
});

test('a client that is closed while it asks Sentinels is closed, emits nothing, and asks no others', async () => {
  const ports = [await hangs(), await hangs(), await hangs()];
  const urls = ports.map((port) => `redis://localhost:${port}`);
  const { redis, errors } = follow(producerRedis(behindSentinels(...urls)));
  const start = performance.now();
  redis.disconnect();
  await eventually(() => expect(redis.status).toBe('end'));
  expect(performance.now() - start).toBeLessThan(2_500);
  expect(errors).toEqual([]);
});

test('a server receives its name, and its certificate must contain it, whatever the environment says', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const access = await makeRedisAccess();
  onTestFinished(() => access.remove());
  const names: string[] = [];
  const server = createTlsServer({
    cert: readFileSync(access.certificateFile),
    key: readFileSync(access.keyFile),
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  }).on('tlsClientError', () => {});
  const port = await portOf(server);
  const ca = readFileSync(access.caFile, 'utf8');
  const url = `rediss://localhost:${port}`;
  const single = { topology: { kind: 'single', url, ca }, key: 'any' } as const;
  const sentinels = behindSentinels(url);
  const places = [single, { ...sentinels, topology: { ...sentinels.topology, ca } }];
  for (const [index, place] of places.entries()) {
    const { redis, errors } = follow(connectReader(place));
    // It is for 127.0.0.1.
    await eventually(() => expect(errors[0]).toMatch(/does not match certificate/));
    redis.disconnect();
    expect(names[index]).toBe('localhost');
  }
  const { errors } = follow(connectReader({ key: 'any', topology: { kind: 'single', url } }));
  await eventually(() => expect(errors[0]).toMatch(/certificate/));
});
