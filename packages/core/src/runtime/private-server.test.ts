import { Counter } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { createMetrics } from './metrics.js';
import { type PrivateServer, type Readiness, startPrivateServer } from './private-server.js';

let server: PrivateServer;
let readiness: () => Readiness | Promise<Readiness>;
let isAlive: boolean;

beforeEach(async () => {
  isAlive = true;
  readiness = () => ({ ready: true, parts: { queue: 'ready' } });
  const metrics = createMetrics('test');
  new Counter({ name: 'things_total', help: 'Things.', registers: [metrics] }).inc(3);
  server = await startPrivateServer({
    host: '127.0.0.1',
    port: 0,
    metrics,
    readiness: () => readiness(),
    isAlive: () => isAlive,
  });
  return () => server.close();
});

async function get(path: string, method = 'GET') {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { status: response.status, body: await response.text() };
}

test('it is alive whether it is ready or not', async () => {
  readiness = () => ({ ready: false, parts: {} });
  expect(await get('/livez')).toEqual({ status: 200, body: 'ok\n' });
});

test('a process that only a restart helps is not alive', async () => {
  isAlive = false;
  expect(await get('/livez')).toEqual({ status: 503, body: 'stuck\n' });
});

test('it is ready only if its parts are, and shows the state of each', async () => {
  expect(await get('/readyz')).toEqual({
    status: 200,
    body: '{"ready":true,"parts":{"queue":"ready"}}\n',
  });
  readiness = async () => ({ ready: false, parts: { queue: 'down: unreachable' } });
  expect(await get('/readyz')).toEqual({
    status: 503,
    body: '{"ready":false,"parts":{"queue":"down: unreachable"}}\n',
  });
});

test('a readiness check that fails is an answer too, and reveals nothing', async () => {
  readiness = () => Promise.reject(new Error('secret'));
  expect(await get('/readyz')).toEqual({ status: 500, body: '' });
});

test("metrics are the process's, with its name", async () => {
  expect((await get('/metrics')).body).toContain('things_total{process="test"} 3\n');
});

test('there is nothing else', async () => {
  expect((await get('/')).status).toBe(404);
  expect((await get('/livez', 'POST')).status).toBe(405);
});

test('a port in use is an error at start', async () => {
  const again = startPrivateServer({
    host: '127.0.0.1',
    port: server.port,
    metrics: createMetrics('other'),
    readiness: () => ({ ready: true, parts: {} }),
  });
  await expect(again).rejects.toThrow('EADDRINUSE');
});
