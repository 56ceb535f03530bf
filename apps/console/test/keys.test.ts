import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

const HOUR_MS = 3_600_000;
let now = Date.now();
let server: TestConsole;
beforeAll(async () => {
  server = await startConsole({ clock: () => new Date(now) });
});
afterAll(() => server.close());

const statusWith = async (key: string | null, path = '/orders') =>
  (await call(server, 'GET', path, { key })).statusCode;

describe('a bearer key', () => {
  it('is shown once, is stored only as a hash, and is recognisable by its hint', async () => {
    const payload = { name: 'shop', role: 'operate', operator: 'lin' };
    const made = await call(server, 'POST', '/api-keys', { payload });
    expect([made.statusCode, made.json()]).toMatchObject([
      201,
      { name: 'shop', role: 'operate', createdBy: 'key:bootstrap', revokedAt: null },
    ]);
    const { id, key, hint } = made.json();
    expect(key).toMatch(/^payonce_[A-Za-z0-9_-]{43}$/);
    expect(key.slice(0, hint.length)).toBe(hint);
    expect(await statusWith(key)).toBe(200);

    const list = await call(server, 'GET', '/api-keys');
    expect(list.json().apiKeys[0]).toMatchObject({ id, name: 'shop', hint });
    const stored = await server.prisma
      .$queryRaw`SELECT row_to_json(k)::text AS row FROM api_keys k`;
    const audit = await server.prisma
      .$queryRaw`SELECT row_to_json(a)::text AS row FROM audit_log a`;
    for (const text of [list.body, JSON.stringify(stored), JSON.stringify(audit)]) {
      expect(text).toContain('shop');
      expect(text).not.toContain(key.slice(hint.length));
    }
    expect(JSON.stringify(stored)).toContain(createHash('sha256').update(key).digest('hex'));
    const [row] = await server.prisma.auditLog.findMany({ where: { apiKeyId: BigInt(id) } });
    expect(row).toMatchObject({
      actor: 'key:bootstrap',
      action: 'api_key.create',
      detail: { name: 'shop', role: 'operate', operator: 'lin' },
    });
  });

  it('gives no access once it is revoked, from the next request on', async () => {
    const key = await makeKey(server, 'leaked', 'admin');
    expect(await statusWith(key)).toBe(200);
    const { apiKeys } = (await call(server, 'GET', '/api-keys?limit=1')).json();
    const revoke = () =>
      call(server, 'POST', `/api-keys/${apiKeys[0].id}/revoke`, {
        payload: { reason: 'found in a log' },
      });
    const [one, two] = [await revoke(), await revoke()];
    expect([one.statusCode, two.json()]).toEqual([200, one.json()]);
    expect(one.json().revokedAt).not.toBeNull();
    expect(await statusWith(key)).toBe(401);
    expect(
      await server.prisma.auditLog.findMany({ where: { action: 'api_key.revoke' } }),
    ).toMatchObject([{ detail: { name: 'leaked', reason: 'found in a log' } }]);
  });

  it('gives no access once it has expired', async () => {
    const expiresAt = new Date(now + HOUR_MS).toISOString();
    const payload = { name: 'contractor', role: 'read', expiresAt };
    const { key } = (await call(server, 'POST', '/api-keys', { payload })).json();
    expect(await statusWith(key)).toBe(200);
    now += HOUR_MS;
    expect(await statusWith(key)).toBe(401);
    const late = await call(server, 'POST', '/api-keys', { payload: { ...payload, name: 'late' } });
    expect([late.statusCode, late.json().errors[0].field]).toEqual([400, 'expiresAt']);
  });

  it('never gets a name that another one has or had: audit rows name it', async () => {
    for (const name of ['leaked', 'shop', 'bootstrap']) {
      const payload = { name, role: 'read' };
      const answer = await call(server, 'POST', '/api-keys', { payload });
      expect([answer.statusCode, answer.json().code]).toEqual([409, 'name_taken']);
    }
    for (const name of ['', '-a', 'key:x', 'A', 'x'.repeat(41)]) {
      const payload = { name, role: 'read' };
      expect((await call(server, 'POST', '/api-keys', { payload })).statusCode).toBe(400);
    }
  });

  it('has its use noted once a minute, not for each request', async () => {
    const key = await makeKey(server, 'busy', 'read');
    const usedAt = async () =>
      (await server.prisma.apiKey.findUniqueOrThrow({ where: { name: 'busy' } })).lastUsedAt;
    const first = now;
    for (const passed of [0, 59_000]) {
      now = first + passed;
      expect(await statusWith(key)).toBe(200);
      expect((await usedAt())?.getTime()).toBe(first);
    }
    now = first + 60_000;
    await statusWith(key);
    expect((await usedAt())?.getTime()).toBe(now);
  });
});

describe('a role', () => {
  const asked = [
    ['GET', '/orders', 'read'],
    ['POST', '/orders', 'operate'],
    ['POST', '/notifications/1/events/0/retry', 'operate'],
    ['POST', '/dead-letters/1/dismiss', 'operate'],
    ['GET', '/api-keys', 'admin'],
    ['POST', '/api-keys', 'admin'],
    ['POST', '/api-keys/1/revoke', 'admin'],
  ] as const;
  const roles = ['read', 'operate', 'admin'] as const;
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const role of roles) keys.set(role, await makeKey(server, `only-${role}`, role));
  });

  it.each(asked)('%s %s is for %s and what is above it', async (method, path, needed) => {
    for (const role of roles) {
      const key = keys.get(role) ?? '';
      const options = { key, ...(method === 'POST' && { payload: { nothing: 'valid' } }) };
      const answer = await call(server, method, path, options);
      const refused = roles.indexOf(role) < roles.indexOf(needed);
      expect([role, answer.statusCode === 403]).toEqual([role, refused]);
      expect([role, answer.statusCode]).not.toEqual([role, 401]);
      if (refused) {
        expect(answer.headers['content-type']).toContain('application/problem+json');
        expect(answer.json()).toMatchObject({ code: 'forbidden', status: 403 });
      }
    }
  });

  it('of a key is what the audit log names, whatever person the key names', async () => {
    const key = keys.get('operate') ?? '';
    await server.prisma.deadLetter.create({
      data: {
        queue: 'redis',
        jobId: 'j',
        jobHash: 'h',
        job: {},
        reason: 'malformed_job',
        createdAt: new Date(now),
        lastAt: new Date(now),
      },
    });
    const { id } = await server.prisma.deadLetter.findFirstOrThrow();
    const payload = { operator: 'key:bootstrap', reason: 'r' };
    const answer = await call(server, 'POST', `/dead-letters/${id}/dismiss`, { key, payload });
    expect(answer.statusCode).toBe(200);
    expect(await server.prisma.auditLog.findMany({ where: { deadLetterId: id } })).toMatchObject([
      { actor: 'key:only-operate', detail: { operator: 'key:bootstrap' } },
    ]);
  });
});

describe('a wrong key', () => {
  it.each([null, 'x', 'payonce_', `payonce_${'a'.repeat(43)}`])(
    'is refused with the way to come in: %j',
    async (key) => {
      const answer = await call(server, 'GET', '/orders', { key });
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'unauthorized']);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
    },
  );

  it('tried again and again blocks its address, even with the right key later, and no other one', async () => {
    const guesser = { remoteAddress: '192.0.2.7' };
    for (let guess = 0; guess < 20; guess += 1) {
      const key = `payonce_${String(guess).padStart(43, 'g')}`;
      expect((await call(server, 'GET', '/orders', { ...guesser, key })).statusCode).toBe(401);
    }
    const answer = await call(server, 'GET', '/orders', guesser);
    expect([answer.statusCode, answer.json().code]).toEqual([429, 'too_many_attempts']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const other = { remoteAddress: '192.0.2.8' };
    expect((await call(server, 'GET', '/orders', other)).statusCode).toBe(200);
  });
});

it('a route of the API without a role is for administrators alone', async () => {
  const other = await startConsole();
  other.app.get('/v1/forgotten', async () => ({}));
  const key = await makeKey(other, 'reader', 'operate');
  expect((await call(other, 'GET', '/forgotten', { key })).statusCode).toBe(403);
  expect((await call(other, 'GET', '/unknown', { key })).statusCode).toBe(404);
  expect((await call(other, 'GET', '/forgotten')).statusCode).toBe(200);
  await other.close();
});
