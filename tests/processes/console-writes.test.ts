import { randomBytes } from 'node:crypto';
import { eventually } from '@payonce/testkit/machine/poll';
import { query } from '@payonce/testkit/stores/sessions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, deployment } from './deployed.js';

/** A console whose database stops keeping its commits. */

const { startRedis, startDatabase, startApp, end } = deployment();
const API_KEY = randomBytes(32).toString('hex');
let databaseUrl: string;
let app: App;

beforeAll(async () => {
  databaseUrl = await startDatabase();
  app = await startApp('console', {
    DATABASE_URL: databaseUrl,
    REDIS_URL: await startRedis(),
    PAYONCE_CONSOLE_PASSWORD: randomBytes(12).toString('hex'),
    PAYONCE_CONSOLE_API_KEY: API_KEY,
  });
});
afterAll(end);

async function setFsync(value: 'on' | 'off'): Promise<void> {
  await query(databaseUrl, `ALTER SYSTEM SET fsync = ${value}`, 'SELECT pg_reload_conf()');
}

async function ask(method: 'GET' | 'POST', path: string, body?: object) {
  const answer = await fetch(`http://127.0.0.1:${app.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

const register = (orderNumber: string) =>
  ask('POST', '/v1/orders', { orderNumber, amount: '8888' });

test('while fsync is off it goes on reading, registers nothing and says why; afterwards it registers at once', async () => {
  expect((await register('A1')).status).toBe(201);
  await setFsync('off');
  await eventually(async () => {
    const { ok, text } = await app.privately('/readyz');
    expect({ ok, database: JSON.parse(text).parts.database }).toEqual({
      ok: false,
      database: 'fsync is off',
    });
  });
  const refused = await register('A2');
  expect({ status: refused.status, code: JSON.parse(refused.text).code }).toEqual({
    status: 503,
    code: 'database_unavailable',
  });
  expect((await ask('GET', '/v1/orders')).text).toContain('A1');
  await setFsync('on');
  await eventually(async () => expect((await register('A2')).status).toBe(201));
  expect((await app.privately('/metrics')).text).toContain(
    'payonce_database_clock_difference_seconds',
  );
});
