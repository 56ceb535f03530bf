import {
  dismissDeadLetter,
  recordDeadLetter,
} from '@payonce/orders/notifications/dead-letters/dead-letters';
import { purgeStep, START } from '@payonce/orders/retention/purge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notificationOf, receive } from './received.js';
import { call, logIn, silent, startConsole, type TestConsole } from './support.js';

const HOUR_MS = 3_600_000;
const purgedAt = new Date(Date.now() + 2 * HOUR_MS);
let server: TestConsole;
let id: bigint;
let kept: bigint;
let letter: bigint;
beforeAll(async () => {
  server = await startConsole();
  const received = () =>
    notificationOf([{ kind: 'nothing', orderNumber: null, says: 'TRADE_CLOSED' }], {
      body: Buffer.from('out_trade_no=P-1'),
      headers: { 'wechatpay-serial': 'PUB_KEY_ID_1' },
    });
  [id = 0n] = await receive(server, received());
  letter = await dismissed();
  await purgeStep({ prisma: server.prisma, log: silent, clock: () => purgedAt }, HOUR_MS, START);
  [kept = 0n] = await receive(server, received());
});
afterAll(() => server.close());

async function dismissed(): Promise<bigint> {
  const deps = { prisma: server.prisma, log: silent, clock: () => new Date() };
  const job = { bodyText: 'out_trade_no=P-1' };
  await recordDeadLetter(deps, { queue: 'redis', jobId: 'j', job, reason: 'malformed_job' });
  const { id: letter } = await server.prisma.deadLetter.findFirstOrThrow();
  await dismissDeadLetter(deps, { actor: 'lin', reason: 'forged', letter });
  return letter;
}

describe('a notification whose bytes were erased after the retention time', () => {
  it('shows that in the API, and its other data as before', async () => {
    expect((await call(server, 'GET', `/notifications/${id}`)).json()).toMatchObject({
      ...{ purgedAt: purgedAt.toISOString(), headers: {}, body: { bytes: 0, fields: {} } },
      ...{ status: 'ignored', events: [{ event: { says: 'TRADE_CLOSED' } }] },
    });
    const { notifications } = (await call(server, 'GET', '/notifications')).json();
    expect(notifications.map((one: { purgedAt: string | null }) => one.purgedAt)).toEqual([
      null,
      purgedAt.toISOString(),
    ]);
  });

  it('shows that instead of its bytes, and the look is still recorded', async () => {
    expect((await call(server, 'GET', `/notifications/${id}/raw`)).json()).toEqual({
      ...{ id: String(id), purgedAt: purgedAt.toISOString() },
      ...{ headers: {}, bodyBase64: '', text: null },
    });
    expect((await call(server, 'GET', `/notifications/${kept}/raw`)).json()).toMatchObject({
      ...{ purgedAt: null, text: 'out_trade_no=P-1' },
    });
    const { audit } = (await call(server, 'GET', '/audit?action=notification.view_raw')).json();
    expect(audit.map((row: { notification: string }) => row.notification)).toEqual([
      String(kept),
      String(id),
    ]);
  });

  it('shows that on its page, instead of an empty body', async () => {
    const cookies = await logIn(server);
    const page = async (of: bigint) =>
      (await server.app.inject({ url: `/notifications/${of}`, cookies })).body;
    expect(await page(id)).toContain('were deleted');
    expect(await page(id)).not.toContain('0 bytes');
    expect(await page(kept)).toContain('16 bytes');
    expect(await page(kept)).not.toContain('were deleted');
  });
});

it('a dismissed dead letter whose job was deleted shows that in the API and on its page', async () => {
  expect((await call(server, 'GET', `/dead-letters/${letter}`)).json()).toMatchObject({
    ...{ id: String(letter), purgedAt: purgedAt.toISOString() },
  });
  const page = await server.app.inject({
    url: `/dead-letters/${letter}`,
    cookies: await logIn(server),
  });
  expect(page.body).toContain('was deleted after the retention period');
});
