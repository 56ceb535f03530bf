import { claimRequest } from '@payonce/orders/access/idempotent-requests';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../src/auth/secrets.js';
import { call, makeKey, silent, startConsole, type TestConsole } from './support.js';

const HOUR_MS = 3_600_000;
let now = Date.now();
let server: TestConsole;
const clock = () => new Date(now);
beforeAll(async () => {
  server = await startConsole({ clock });
});
afterAll(() => server.close());

const order = (orderNumber: string) => ({ orderNumber, amount: '8888' });
const register = (idempotencyKey: string, payload: object, key?: string) =>
  call(server, 'POST', '/orders', {
    payload,
    headers: { 'idempotency-key': idempotencyKey },
    ...(key && { key }),
  });
const said = ({ statusCode, body, headers }: LightMyRequestResponse) => ({
  statusCode,
  body,
  type: headers['content-type'],
  location: headers.location,
});

describe('a POST with an Idempotency-Key', () => {
  it('that is repeated is not carried out again, and has the same answer', async () => {
    const first = await register('k-1', order('A-1'));
    expect(first.statusCode).toBe(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    // Without the key it would be 200, with the present state.
    await call(server, 'POST', '/orders/A-1/close');
    for (const key of ['k-1', '"k-1"']) {
      const again = await register(key, order('A-1'));
      expect(said(again)).toEqual(said(first));
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
  });

  it('keeps refusals too', async () => {
    const refused = await register('k-2', { ...order('A-1'), amount: '1' });
    const again = await register('k-2', { ...order('A-1'), amount: '1' });
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'order_conflict']);
    expect(said(again)).toEqual(said(refused));
    expect(again.headers['content-type']).toContain('application/problem+json');
  });

  it('is 422 when the key was sent with another request', async () => {
    await register('k-3', order('A-3'));
    const other = await register('k-3', order('A-4'));
    expect([other.statusCode, other.json().code]).toEqual([422, 'idempotency_key_reused']);
    const elsewhere = await call(server, 'POST', '/orders/A-3/close', {
      headers: { 'idempotency-key': 'k-3' },
    });
    expect(elsewhere.statusCode).toBe(422);
    expect((await call(server, 'GET', '/orders/A-4')).statusCode).toBe(404);
  });

  it('that many send at once is carried out once; the others get its answer or must retry', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => register('k-5', order('A-5'))),
    );
    const done = answers.filter(
      ({ statusCode, headers }) => statusCode === 201 && !headers['idempotent-replayed'],
    );
    expect(done).toHaveLength(1);
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 201)) {
      expect([answer.statusCode, answer.json().code]).toEqual([409, 'request_in_hand']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  it("of another caller is independent: nobody gets another caller's answer", async () => {
    const shop = await makeKey(server, 'shop', 'operate');
    const mine = await register('k-6', order('A-6'));
    const theirs = await register('k-6', order('A-6'), shop);
    expect([mine.statusCode, theirs.statusCode]).toEqual([201, 200]);
    expect(theirs.headers['idempotent-replayed']).toBeUndefined();
  });

  it('may be repeated with the same key when it was no valid request', async () => {
    expect((await register('k-7', { orderNumber: 'A-7' })).statusCode).toBe(400);
    expect((await register('k-7', order('A-7'))).statusCode).toBe(201);
  });

  it('may be repeated after the database was down', async () => {
    await server.prisma.$executeRaw`ALTER TABLE orders RENAME TO orders_away`;
    const away = await register('k-8', order('A-8'));
    await server.prisma.$executeRaw`ALTER TABLE orders_away RENAME TO orders`;
    expect([away.statusCode, away.json().code]).toEqual([503, 'database_unavailable']);
    expect((await register('k-8', order('A-8'))).statusCode).toBe(201);
  });

  it.each(['', '""', 'a b', 'x'.repeat(256), '"half', 'ü'])('is 400 with %j', async (key) => {
    const answer = await register(key, order('A-9'));
    expect([answer.statusCode, answer.json().errors]).toMatchObject([
      400,
      [{ field: 'idempotency-key' }],
    ]);
  });
});

it('of a process that was killed frees the key after a minute, for the same request', async () => {
  const requestHash = fingerprint(`POST /v1/orders\n${JSON.stringify(order('B-1'))}`);
  // All that it leaves behind is its first row.
  const deps = { prisma: server.prisma, log: silent, clock };
  const request = { actor: 'key:bootstrap', key: 'k-b', requestHash: requestHash.toString('hex') };
  expect(await claimRequest(deps, request)).toMatchObject({ result: 'claimed' });

  now += 59_000;
  const early = await register('k-b', order('B-1'));
  expect([early.statusCode, early.json().code]).toEqual([409, 'request_in_hand']);
  now += 2_000;
  expect((await register('k-b', order('B-2'))).statusCode).toBe(422);
  expect((await register('k-b', order('B-1'))).statusCode).toBe(201);
});

it('whose answer shows a secret once does not store it for the repetition', async () => {
  const make = () =>
    call(server, 'POST', '/api-keys', {
      payload: { name: 'secretive', role: 'read' },
      headers: { 'idempotency-key': 'k-secret' },
    });
  const made = await make();
  expect(made.statusCode).toBe(201);
  const { key } = made.json();
  const again = await make();
  expect([again.statusCode, again.json().code]).toEqual([409, 'already_done']);
  expect(again.headers['idempotent-replayed']).toBe('true');
  const [stored] = await server.prisma.idempotentRequest.findMany({ where: { key: 'k-secret' } });
  expect(stored?.status).toBe(409);
  expect(JSON.stringify(stored)).not.toContain(key.slice(12));
});

it('keeps its answer for over a day; each new one removes a few old ones', async () => {
  await Promise.all(
    Array.from({ length: 12 }, (_, index) => register(`old-${index}`, order('C-1'))),
  );
  const kept = () =>
    server.prisma.idempotentRequest.count({ where: { key: { startsWith: 'old-' } } });
  now += 24 * HOUR_MS;
  expect((await register('old-0', order('C-1'))).headers['idempotent-replayed']).toBe('true');
  expect(await kept()).toBe(12);
  now += 25 * HOUR_MS;
  const { count: others } = await server.prisma.idempotentRequest.deleteMany({
    where: { NOT: { key: { startsWith: 'old-' } } },
  });
  expect(others).toBeGreaterThan(0);
  await register('new-1', order('C-2'));
  expect(await kept()).toBe(2);
  await register('new-2', order('C-3'));
  expect(await kept()).toBe(0);
});
