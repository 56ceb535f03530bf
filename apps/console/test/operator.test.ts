import { randomBytes } from 'node:crypto';
import { systemClock } from '@payonce/core/runtime/clock';
import { recordDeadLetter } from '@payonce/orders/notifications/dead-letters/dead-letters';
import type { PaymentEvent } from '@payonce/providers/event';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, paid, receive } from './received.js';
import { silent, startConsole, type TestConsole } from './support.js';

let server: TestConsole;
beforeAll(async () => {
  server = await startConsole();
});
afterAll(() => server.close());

function api(method: 'GET' | 'POST', url: string, payload?: object) {
  return server.app.inject({
    method,
    url: `/v1${url}`,
    headers: { authorization: `Bearer ${server.apiKey}` },
    ...(payload && { payload }),
  });
}

/** @returns the address of its first event */
async function received(event: PaymentEvent): Promise<string> {
  const [id] = await receive(server, notificationOf([event]));
  return `/notifications/${id}/events/0`;
}

const register = (orderNumber: string) => api('POST', '/orders', { orderNumber, amount: '8888' });
const lin = { operator: '林', reason: '账单上看到了' };

describe('a held event', () => {
  it('is accepted: its order counts as paid with the amount received, and the operator is on record', async () => {
    await register('A-1');
    const event = await received(paid('A-1', { amount: 1n }));
    const answer = await api('POST', `${event}/accept`, { ...lin, amount: '1' });
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      {
        event: { outcome: 'applied', holdReason: null },
        order: { orderNumber: 'A-1', status: 'paid', paidAmount: '1', amount: '8888' },
      },
    ]);
    const record = {
      actor: 'key:bootstrap',
      operator: '林',
      action: 'event.accept',
      reason: '账单上看到了',
      holdReason: 'amount_mismatch',
      position: 0,
    };
    expect((await api('GET', '/orders/A-1')).json()).toMatchObject({
      facts: [{ kind: 'operator', trade: 'T-A-1', amount: '1' }],
      audit: [record],
    });
    const notification = event.replace('/events/0', '');
    expect((await api('GET', notification)).json()).toMatchObject({ audit: [record] });
  });

  it('accepted twice, or accepted and then rejected: the first one counts', async () => {
    await register('A-2');
    const event = await received(paid('A-2', { payeeMatches: false }));
    const [one, two] = [
      await api('POST', `${event}/accept`, lin),
      await api('POST', `${event}/accept`, lin),
    ];
    expect([one.statusCode, two.statusCode]).toEqual([200, 200]);
    expect(two.json()).toEqual(one.json());
    const other = await api('POST', `${event}/reject`, lin);
    expect([other.statusCode, other.json().code]).toEqual([409, 'not_held']);
    expect((await api('GET', '/orders/A-2')).json().audit).toHaveLength(1);
  });

  it('with another sum than the operator names is not accepted', async () => {
    await register('A-3');
    const event = await received(paid('A-3', { amount: 1n }));
    const answer = await api('POST', `${event}/accept`, { ...lin, amount: '8888' });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'other_amount']);
    expect((await api('GET', '/orders/A-3')).json()).toMatchObject({ status: 'pending' });
  });

  it.each([
    ['unknown_order', paid('nobody-knows')],
    ['currency_mismatch', paid('A-4', { currency: 'USD' })],
    ['unsupported_event', { kind: 'unsupported', orderNumber: 'A-4', says: 'X' }],
  ] as const)('that cannot mean a payment (%s) is 422, and says what to do', async (why, said) => {
    await register('A-4');
    const answer = await api('POST', `${await received(said)}/accept`, lin);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'not_acceptable']);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json().detail).toContain(why);
    expect(answer.json().detail).toContain('reject');
  });

  it('is rejected: it is permanently ignored, and kept', async () => {
    await register('A-5');
    const event = await received(paid('A-5', { amount: 1n }));
    const answer = await api('POST', `${event}/reject`, lin);
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      { event: { outcome: 'ignored', holdReason: null }, order: { status: 'pending' } },
    ]);
    expect(await api('GET', event.replace('/events/0', ''))).toMatchObject({ statusCode: 200 });
  });

  it('is retried without a reason: it stays held, or is applied', async () => {
    const event = await received(paid('A-6'));
    const before = await api('POST', `${event}/retry`, {});
    expect([before.statusCode, before.json()]).toMatchObject([
      200,
      { event: { outcome: 'held', holdReason: 'unknown_order' }, order: null },
    ]);
    await server.prisma.$executeRaw`INSERT INTO orders
      (merchant, number, amount, currency, created_at, updated_at)
      VALUES ('default', 'A-6', 8888, 'CNY', now(), now())`;
    const after = await api('POST', `${event}/retry`, {});
    expect(after.json()).toMatchObject({
      event: { outcome: 'applied' },
      order: { status: 'paid' },
    });
    expect((await api('GET', '/orders/A-6')).json().audit).toMatchObject([
      { actor: 'key:bootstrap', operator: null, action: 'event.retry', reason: null },
    ]);
  });
});

describe('a request of an operator', () => {
  it.each(['retry', 'accept', 'reject'])('%s is 404 where there is no such event', async (verb) => {
    const event = await received(paid('B-1'));
    for (const url of [event.replace(/0$/, '7'), '/notifications/999999/events/0']) {
      const answer = await api('POST', `${url}/${verb}`, lin);
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_event']);
    }
    for (const url of ['/notifications/x/events/0', '/notifications/1/events/-1']) {
      expect((await api('POST', `${url}/${verb}`, lin)).statusCode).toBe(400);
    }
  });

  it.each([
    ['reason', {}],
    ['reason', { reason: '' }],
    ['reason', { reason: '   ' }],
    ['reason', { reason: 'two\nlines' }],
    ['reason', { reason: 'NUL \0' }],
    ['reason', { reason: 'half \ud800' }],
    ['reason', { reason: 'x'.repeat(501) }],
    ['operator', { operator: '', reason: 'r' }],
    ['operator', { operator: 'x'.repeat(65), reason: 'r' }],
    ['', { reason: 'r', amuont: '1' }],
  ])('must be complete: %s is named in %j', async (field, payload) => {
    const event = await received(paid('B-2', { amount: 1n }));
    for (const verb of ['accept', 'reject']) {
      const answer = await api('POST', `${event}/${verb}`, payload);
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'invalid_request']);
      expect(answer.json().errors).toMatchObject([{ field }]);
    }
  });

  it('needs the key', async () => {
    for (const url of [
      '/v1/notifications/1/events/0/retry',
      '/v1/notifications/1/events/0/accept',
      '/v1/notifications/1/events/0/reject',
      '/v1/dead-letters/1/redrive',
      '/v1/dead-letters/1/dismiss',
    ]) {
      const answer = await server.app.inject({ method: 'POST', url, payload: lin });
      expect([url, answer.statusCode]).toEqual([url, 401]);
    }
    expect((await server.app.inject({ url: '/v1/dead-letters' })).statusCode).toBe(401);
  });
});

describe('dead letters', () => {
  const OPENID = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';
  const SIGNATURE = randomBytes(256).toString('base64');
  const body = `out_trade_no=D-1&buyer_open_id=${OPENID}&sign=${encodeURIComponent(SIGNATURE)}`;
  const job = {
    version: 1,
    provider: 'alipay',
    channel: 'gone',
    notificationId: 'n1',
    digest: 'd'.repeat(64),
    receivedAt: '2026-01-01T00:00:00.000Z',
    bodyBase64: Buffer.from(body).toString('base64'),
    headers: {},
  };
  const died = (jobId: string, reason: 'unknown_channel' | 'malformed_job') =>
    recordDeadLetter(
      { prisma: server.prisma, log: silent, clock: systemClock },
      { queue: 'redis', jobId, job: { ...job, notificationId: jobId }, reason, error: OPENID },
    );
  const list = async (query = '') => (await api('GET', `/dead-letters${query}`)).json().deadLetters;

  it('are listed, newest first, masked, by state and reason', async () => {
    await died('L1', 'unknown_channel');
    await died('L2', 'malformed_job');
    await died('L2', 'malformed_job');
    expect(await list()).toMatchObject([
      { jobId: 'L2', reason: 'malformed_job', deaths: 2, redriveRequestedAt: null },
      {
        jobId: 'L1',
        queue: 'redis',
        job: { channel: 'gone', body: { fields: { out_trade_no: 'D-1' } } },
      },
    ]);
    expect(await list('?reason=unknown_channel')).toMatchObject([{ jobId: 'L1' }]);
    const first = (await api('GET', '/dead-letters?limit=1')).json();
    expect(await list(`?limit=1&cursor=${first.nextCursor}`)).toMatchObject([{ jobId: 'L1' }]);
    for (const { id } of await list()) {
      const { body: shown } = await api('GET', `/dead-letters/${id}`);
      for (const secret of [OPENID, SIGNATURE, job.bodyBase64]) expect(shown).not.toContain(secret);
    }
    expect((await api('GET', '/dead-letters/999')).json().code).toBe('unknown_dead_letter');
    expect((await api('GET', '/dead-letters?state=lost')).statusCode).toBe(400);
  });

  it('are tried again on request, or dismissed with a reason', async () => {
    await died('L3', 'unknown_channel');
    const [{ id }] = await list();
    const asked = await api('POST', `/dead-letters/${id}/redrive`, {});
    expect(asked.json().redriveRequestedAt).toMatch(/Z$/);
    expect((await api('POST', `/dead-letters/${id}/redrive`, {})).json()).toEqual(asked.json());
    expect((await api('POST', `/dead-letters/${id}/dismiss`, {})).statusCode).toBe(400);
    const dismissed = await api('POST', `/dead-letters/${id}/dismiss`, lin);
    expect(dismissed.json()).toMatchObject({
      dismissedAt: expect.any(String),
      redriveRequestedAt: null,
    });
    const late = await api('POST', `/dead-letters/${id}/redrive`, {});
    expect([late.statusCode, late.json().code]).toEqual([409, 'settled']);
    expect(await list('?state=dismissed')).toMatchObject([{ jobId: 'L3' }]);
    expect((await list('?state=open')).map(({ jobId }: { jobId: string }) => jobId)).not.toContain(
      'L3',
    );
    expect((await api('POST', '/dead-letters/999/redrive', {})).statusCode).toBe(404);
    expect(
      await server.prisma.auditLog.findMany({ where: { deadLetterId: BigInt(id) } }),
    ).toMatchObject([
      { actor: 'key:bootstrap', action: 'dead_letter.redrive' },
      {
        actor: 'key:bootstrap',
        action: 'dead_letter.dismiss',
        detail: { operator: '林', reason: '账单上看到了' },
      },
    ]);
  });
});
