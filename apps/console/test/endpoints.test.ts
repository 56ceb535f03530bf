import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, makeKey, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

const url = 'https://shop.example/hooks?token=hush-hush';
const make = (payload: object, headers = {}) =>
  call(server, 'POST', '/endpoints', { payload, headers });
const ask = (verb: string, id: string, payload: object = {}) =>
  call(server, 'POST', `/endpoints/${id}/${verb}`, { payload });

async function made(name: string): Promise<string> {
  const answer = await make({ name, url });
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json().id;
}

describe('an endpoint', () => {
  it('is created with a secret that is shown once, to the caller alone', async () => {
    const payload = { name: 'erp', url, eventTypes: ['order.paid'], operator: 'lin' };
    const answer = await make(payload, { 'idempotency-key': 'make-erp' });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      201,
      { merchant: 'default', name: 'erp', url, eventTypes: ['order.paid'], source: 'api' },
    ]);
    const { id, secret } = answer.json();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);

    const again = await make(payload, { 'idempotency-key': 'make-erp' });
    expect([again.statusCode, again.json().code]).toEqual([409, 'already_done']);
    const { json } = await call(server, 'GET', `/endpoints/${id}`);
    expect(Object.keys(json())).not.toContain('secret');
    const { body: list } = await call(server, 'GET', '/endpoints?merchant=default');
    const kept = await server.prisma.$queryRaw`
      SELECT row_to_json(t)::text FROM idempotent_requests t
      UNION ALL SELECT row_to_json(t)::text FROM audit_log t
      UNION ALL SELECT row_to_json(t)::text FROM webhook_endpoints t`;
    for (const text of [list, JSON.stringify(kept)]) {
      expect(text).toContain('erp');
      expect(text).not.toContain(secret.slice('whsec_'.length));
    }
    const where = { endpointId: BigInt(id) };
    expect(await server.prisma.auditLog.findMany({ where })).toMatchObject([
      { actor: 'key:bootstrap', action: 'endpoint.create', detail: { operator: 'lin' } },
    ]);
  });

  it('hides the query of its address, which may hold a secret, from everybody but admins', async () => {
    const id = await made('queried');
    const key = await makeKey(server, 'operator', 'operate');
    for (const path of [`/endpoints/${id}`, '/endpoints']) {
      expect((await call(server, 'GET', path, { key })).body).not.toContain('hush-hush');
      expect((await call(server, 'GET', path)).body).toContain('hush-hush');
    }
    const disabled = await call(server, 'POST', `/endpoints/${id}/disable`, { key, payload: {} });
    expect([disabled.statusCode, disabled.json().url]).toEqual([200, 'https://shop.example/hooks']);
  });

  it.each([
    ['url', { url: 'http://shop.example/' }],
    ['url', { url: 'https://169.254.169.254/latest' }],
    ['url', { url: 'https://user:pass@shop.example/' }],
    ['url', { url: 'nonsense' }],
    ['name', { name: 'Not/A/Name' }],
    ['eventTypes.0', { eventTypes: ['order.lost'] }],
    ['secret', { secret: 'whsec_c2hvcnQ=' }],
    ['', { secrets: 'x' }],
  ])('is not created when %s is wrong: %j', async (field, wrong) => {
    const answer = await make({ name: 'wrong', url, ...wrong });
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
    expect(answer.json().errors).toMatchObject([{ field }]);
    expect(answer.body).not.toMatch(/c2hvcnQ|user:pass/);
  });

  it('has a name that is unique within its merchant', async () => {
    await made('twice');
    const answer = await make({ name: 'twice', url });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'name_taken']);
    expect((await make({ name: 'twice', url, merchant: 'other' })).statusCode).toBe(201);
  });

  it('gets another address and other event types; omitted fields stay', async () => {
    const id = await made('moved');
    const patch = (payload: object) => call(server, 'PATCH', `/endpoints/${id}`, { payload });
    const moved = await patch({ url: 'https://new.example/hooks', reason: 'we moved' });
    expect(moved.json()).toMatchObject({ url: 'https://new.example/hooks', eventTypes: [] });
    const fewer = await patch({ eventTypes: ['order.refunded'] });
    expect(fewer.json()).toMatchObject({
      url: 'https://new.example/hooks',
      eventTypes: ['order.refunded'],
    });
    expect((await patch({ url: 'handler:orders' })).json().errors).toMatchObject([
      { field: 'url' },
    ]);
  });

  it('gets a new secret, and the previous one signs beside it for the given time', async () => {
    const id = await made('rotated');
    const first = await ask('rotate-secret', id, { graceSeconds: 3_600 });
    expect(first.json().secret).toMatch(/^whsec_/);
    const left = Date.parse(first.json().previousSecretExpiresAt) - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThan(3_600_001);
    const second = await ask('rotate-secret', id, { graceSeconds: 0 });
    expect(second.json().previousSecretExpiresAt).toBeNull();
    expect(second.json().secret).not.toBe(first.json().secret);
    expect((await ask('rotate-secret', id, { graceSeconds: 604_801 })).statusCode).toBe(400);
  });

  it('is disabled, enabled and deleted: then its name is free', async () => {
    const id = await made('brief');
    expect((await ask('disable', id)).json()).toMatchObject({ disabledReason: 'operator' });
    expect((await ask('enable', id)).json()).toMatchObject({ disabledAt: null });
    const gone = await call(server, 'DELETE', `/endpoints/${id}`);
    expect([gone.statusCode, gone.body]).toEqual([204, '']);
    for (const answer of [
      await call(server, 'DELETE', `/endpoints/${id}`),
      await call(server, 'GET', `/endpoints/${id}`),
      await call(server, 'PATCH', `/endpoints/${id}`, { payload: { url } }),
      await ask('enable', id),
      await ask('rotate-secret', id),
    ]) {
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_endpoint']);
    }
    expect((await make({ name: 'brief', url })).statusCode).toBe(201);
  });

  it('from the channel file is changed there, and can only be disabled and enabled here', async () => {
    const at = new Date();
    const { id } = await server.prisma.webhookEndpoint.create({
      data: {
        ...{ merchant: 'default', name: 'filed', url, source: 'file' },
        ...{ secret: Buffer.alloc(60), createdAt: at, updatedAt: at },
      },
    });
    for (const answer of [
      await call(server, 'PATCH', `/endpoints/${id}`, { payload: { eventTypes: [] } }),
      await ask('rotate-secret', String(id)),
      await call(server, 'DELETE', `/endpoints/${id}`),
    ]) {
      expect([answer.statusCode, answer.json().code]).toEqual([409, 'managed_by_file']);
    }
    expect((await ask('disable', String(id))).statusCode).toBe(200);
  });
});

it('gets no secret without PAYONCE_ENCRYPTION_KEY, and the answer says so', async () => {
  const keyless = await startConsole({ encryptionKeys: null });
  try {
    const answer = await call(keyless, 'POST', '/endpoints', { payload: { name: 'erp', url } });
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'not_configured']);
    expect(answer.json().detail).toContain('PAYONCE_ENCRYPTION_KEY');
    const payload = { name: 'own', url: 'handler:orders' };
    const handler = await call(keyless, 'POST', '/endpoints', { payload });
    expect([handler.statusCode, handler.json().secret]).toEqual([201, null]);
    const { id } = handler.json();
    const none = await call(keyless, 'POST', `/endpoints/${id}/rotate-secret`, { payload: {} });
    expect([none.statusCode, none.json().code]).toEqual([409, 'has_no_secret']);
  } finally {
    await keyless.close();
  }
});
