/** What the table of routes cannot show: forgotten routes, repeated requests, forms of a limit. */
import { createHash } from 'node:crypto';
import { hasMerchant } from '@payonce/orders/access/merchants';
import { Prisma } from '@payonce/prisma/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nothingHere } from '../src/api/problems.js';
import { merchantsOf } from '../src/plugins/merchants.js';
import { sqlMerchant, whereMerchant } from '../src/reads/where-merchant.js';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

const order = (orderNumber: string, merchant?: string) => ({
  ...{ orderNumber, amount: '8888' },
  ...(merchant && { merchant }),
});
const registered = async () =>
  (await server.prisma.order.findMany({ orderBy: { id: 'asc' } })).map(
    ({ merchant, number }) => `${merchant} ${number}`,
  );

describe('a route without a merchant rule', () => {
  it('is only for callers of all merchants; a list without a limit is not sent', async () => {
    const other = await startConsole();
    const secret = 'of everybody';
    other.app.get('/v1/forgotten', { config: { access: 'read' } }, async () => ({ secret }));
    const config = { access: 'read', merchants: 'listed' } as const;
    other.app.get('/v1/careless', { config }, async () => ({ secret }));
    // Without a schema the guard sees no merchant: the handler may read something else.
    const named = { access: 'read', merchants: { named: true, refusal: nothingHere } } as const;
    other.app.get('/v1/unchecked', { config: named }, async () => ({ secret }));
    other.app.get('/v1/careful', { config }, async (request) => merchantsOf(request));
    const key = await makeKey(other, 'limited', 'admin', ['shop-a']);
    const answers = await Promise.all(
      ['/forgotten', '/careless', '/careful', '/nothing', '/unchecked?merchant=shop-a'].map(
        (path) => call(other, 'GET', path, { key }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 500, 200, 404, 404]);
    expect(answers[0]?.json().code).toBe('all_merchants_needed');
    expect(answers[2]?.json()).toEqual(['shop-a']);
    for (const { body } of answers) expect(body).not.toContain(secret);
    for (const path of ['/forgotten', '/careless']) {
      expect((await call(other, 'GET', path)).json()).toEqual({ secret });
    }
    await other.close();
  });
});

describe('a key with merchants', () => {
  it('learns no more from the headers of an answer than from the answer', async () => {
    const key = await makeKey(server, 'headers-only', 'read', ['shop-a']);
    const head = (path: string) =>
      server.app.inject({
        ...{ method: 'HEAD', url: `/v1${path}`, headers: { authorization: `Bearer ${key}` } },
      });
    await call(server, 'POST', '/orders', { payload: order('HEAD', 'shop-b') });
    const statuses = ['/audit', '/orders/HEAD?merchant=shop-b', '/orders'].map(
      async (path) => (await head(path)).statusCode,
    );
    expect(await Promise.all(statuses)).toEqual([403, 404, 200]);
  });

  it('shows them when it is created and listed, and so does its audit row; without any it has all', async () => {
    const made = async (name: string, merchants?: readonly string[] | null) =>
      (
        await call(server, 'POST', '/api-keys', { payload: { name, role: 'read', merchants } })
      ).json().merchants;
    expect(await made('some', ['shop-a', 'shop-*', 'shop-a'])).toEqual(['shop-a', 'shop-*']);
    expect(await made('every')).toBeNull();
    expect(await made('null', null)).toBeNull();
    expect(await made('star', ['shop-a', '*'])).toBeNull();
    const { apiKeys } = (await call(server, 'GET', '/api-keys?limit=4')).json();
    expect(apiKeys.map((key: { merchants: unknown }) => key.merchants)).toEqual([
      ...[null, null, null],
      ['shop-a', 'shop-*'],
    ]);
    const { audit } = (await call(server, 'GET', '/audit?action=api_key.create&limit=4')).json();
    expect(audit.at(-1).detail).toMatchObject({ name: 'some', merchants: ['shop-a', 'shop-*'] });
    expect(audit[0].detail).toMatchObject({ name: 'star', merchants: null });
  });

  it.each([[[]], [['']], [['a\nb']], [['x'.repeat(65)]], [['*****']], ['shop-a'], [[7]]])(
    'is not made with %j',
    async (merchants) => {
      const payload = { name: 'never', role: 'read', merchants };
      const answer = await call(server, 'POST', '/api-keys', { payload });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
      expect(answer.json().errors[0].field).toMatch(/^merchants/);
    },
  );

  it('creates no key, whatever its role: neither with its merchants nor with others', async () => {
    const key = await makeKey(server, 'limited-admin', 'admin', ['*-shop']);
    for (const merchants of [undefined, ['*-shop'], ['*']]) {
      const payload = { name: 'child', role: 'read', merchants };
      const answer = await call(server, 'POST', '/api-keys', { key, payload });
      expect([answer.statusCode, answer.json().code]).toEqual([403, 'all_merchants_needed']);
    }
  });

  it('is unknown to a console of the previous release, which would let it see everything', async () => {
    const key = await makeKey(server, 'after', 'read', ['shop-a']);
    const plain = await makeKey(server, 'before', 'read');
    const known = (secret: string) =>
      server.prisma.apiKey.findFirst({
        where: { keyHash: createHash('sha256').update(secret).digest('hex') },
      });
    expect((await known(plain))?.name).toBe('before');
    expect(await known(key)).toBeNull();
    // It cannot be changed into a key that such a console knows either.
    await expect(
      server.prisma.$executeRaw`
        UPDATE api_keys SET key_hash = substr(key_hash, 11) WHERE name = 'after'`,
    ).rejects.toThrow('api_keys_hash_by_merchants');
  });

  it('gives no access while its merchants cannot be read', async () => {
    const key = await makeKey(server, 'spoilt', 'read', ['shop-a']);
    const status = async () => (await call(server, 'GET', '/orders', { key })).statusCode;
    expect(await status()).toBe(200);
    await server.prisma.$executeRaw`
      UPDATE api_keys SET merchants = '["shop-a", 7]' WHERE name = 'spoilt'`;
    expect(await status()).toBe(401);
    const { apiKeys } = (await call(server, 'GET', '/api-keys?limit=1')).json();
    expect(apiKeys[0]).toMatchObject({ name: 'spoilt', merchants: [] });
  });

  it('registers orders of its merchants alone: of many all or none', async () => {
    const key = await makeKey(server, 'registrar', 'operate', ['shop-a', 'b-*']);
    const post = (payload: object) => call(server, 'POST', '/orders', { key, payload });
    const before = await registered();
    for (const payload of [
      order('N-1', 'shop-b'),
      order('N-1'),
      { orders: [order('N-1', 'shop-a'), order('N-2', 'shop-b')] },
      { orders: [order('N-1', 'shop-a'), order('N-2')] },
    ]) {
      const answer = await post(payload);
      expect([answer.statusCode, answer.json().code]).toEqual([403, 'merchant_forbidden']);
    }
    expect(await registered()).toEqual(before);
    expect((await post(order('N-1', 'shop-a'))).statusCode).toBe(201);
    const many = await post({ orders: [order('N-2', 'shop-a'), order('N-3', 'b-1')] });
    expect(many.json().results).toHaveLength(2);
    expect((await registered()).slice(before.length)).toEqual([
      ...['shop-a N-1', 'shop-a N-2', 'b-1 N-3'],
    ]);
  });

  it('has the default merchant if none is named and it is one of its merchants', async () => {
    const key = await makeKey(server, 'of-default', 'operate', ['default']);
    const answer = await call(server, 'POST', '/orders', { key, payload: order('D-1') });
    expect([answer.statusCode, answer.json().merchant]).toEqual([201, 'default']);
    expect((await call(server, 'GET', '/orders/D-1', { key })).statusCode).toBe(200);
  });

  it('learns nothing from the answer for an order of another merchant', async () => {
    const key = await makeKey(server, 'curious', 'operate', ['shop-c']);
    await call(server, 'POST', '/orders', { payload: order('THERE', 'shop-d') });
    const answers = await Promise.all(
      ['THERE', 'NOWHERE'].flatMap((number) => [
        call(server, 'GET', `/orders/${number}?merchant=shop-d`, { key }),
        call(server, 'POST', `/orders/${number}/close?merchant=shop-d`, { key, payload: {} }),
      ]),
    );
    for (const { statusCode, json } of answers) {
      expect([statusCode, json()]).toEqual([404, answers[0]?.json()]);
    }
  });

  it('does not get the answer of another key, under the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'same-for-both' };
    const one = await makeKey(server, 'one', 'operate', ['shop-e']);
    const two = await makeKey(server, 'two', 'operate', ['shop-f']);
    const payload = order('E-1', 'shop-e');
    const send = (key: string) => call(server, 'POST', '/orders', { key, payload, headers });
    expect((await send(one)).statusCode).toBe(201);
    const refused = await send(two);
    expect([refused.statusCode, refused.body.includes('E-1')]).toEqual([403, false]);
    // The refusal does not claim the key either.
    const own = await call(server, 'POST', '/orders', {
      ...{ key: two, headers, payload: order('F-1', 'shop-f') },
    });
    expect([own.statusCode, own.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect((await send(one)).headers['idempotent-replayed']).toBe('true');
  });
});

describe('a limit in SQL', () => {
  it('equals the one in memory, for any names and patterns: also as Prisma and LIKE read them', async () => {
    const part = fc.constantFrom(...['a', 'b', '%', '_', '\\', '-', '中']);
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
    const wild = fc.oneof({ weight: 3, arbitrary: part }, fc.constant('*'));
    const entry = fc
      .array(wild, { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(''))
      .filter((text) => text.split('*').length < 6);
    const names = [...new Set(fc.sample(name, { numRuns: 150, seed: 7 }))];
    const now = new Date();
    await server.prisma.order.createMany({
      data: names.map((merchant) => ({
        ...{ merchant, number: 'SQL', amount: 1n, currency: 'CNY' },
        ...{ createdAt: now, updatedAt: now },
      })),
    });
    for (const entries of fc.sample(fc.array(entry, { minLength: 1, maxLength: 3 }), 60)) {
      const expected = names.filter((merchant) => hasMerchant(entries, merchant)).sort();
      const found = await server.prisma.order.findMany({
        where: { number: 'SQL', ...whereMerchant(entries) },
      });
      const matched = await server.prisma.$queryRaw<{ merchant: string }[]>`
        SELECT merchant FROM orders WHERE number = 'SQL'
          AND ${sqlMerchant(Prisma.sql`merchant`, entries)}`;
      for (const rows of [found, matched]) {
        expect([entries, rows.map(({ merchant }) => merchant).sort()]).toEqual([entries, expected]);
      }
    }
  });
});
