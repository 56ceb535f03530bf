import { eventually } from '@payonce/testkit/machine/poll';
import { RETRY_SCHEDULES } from '@payonce/testkit/sending/retry-schedules';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../test/notify-server.js';
import { alipay, NO, OK, payment, useSimulator } from '../test/simulate.js';

const { simulate, alipayVerifies } = useSimulator();

describe('one message', () => {
  test('is posted to the address of its channel, genuinely signed, and its reply is judged', async () => {
    const { gateway, post } = await simulate(() => OK);
    const { status, body } = await post('/send', alipay);
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'played', accepted: 1, refused: 0, retrying: false });
    expect(body.sendings).toMatchObject([
      {
        channel: 'sim-alipay',
        provider: 'alipay',
        kind: 'payment',
        orderNumber: 'T1',
        notificationId: body.notificationId,
        attempt: 1,
        copy: 1,
        forged: null,
        status: 200,
        body: 'success',
        accepted: true,
        reason: null,
      },
    ]);
    const [request] = gateway.received;
    expect(request).toMatchObject({ method: 'POST', path: '/notify/alipay/sim-alipay' });
    const fields = new URLSearchParams(request?.body.toString());
    expect(fields.get('total_amount')).toBe('88.88');
    expect(fields.get('notify_id')).toBe(body.notificationId);
    expect(gateway.received.map(alipayVerifies)).toEqual([true]);
  });

  test.each([
    ['sim-wechat', '/notify/wechatpay/sim-wechat', { status: 204 }],
    [
      'sim-wechat-v2',
      '/notify/wechatpay-v2/sim-wechat-v2',
      { status: 200, body: '<xml><return_code>SUCCESS</return_code></xml>' },
    ],
  ])('%s has a separate address and acknowledgement', async (channel, path, answer) => {
    const { gateway, post } = await simulate(() => answer);
    const { body } = await post('/send', { channel, message: payment });
    expect(body).toMatchObject({ accepted: 1, refused: 0 });
    expect(gateway.received.map((request) => request.path)).toEqual([path]);
  });

  test('a redirect is not followed', async () => {
    const { gateway, post } = await simulate(() => ({
      status: 302,
      headers: { location: '/other' },
    }));
    const { body } = await post('/send', alipay);
    expect(body.sendings).toMatchObject([{ status: 302, accepted: false, reason: 'wrong_status' }]);
    expect(gateway.received).toHaveLength(1);
  });

  test.each(['hang', 'hang_in_body'] as const)(
    'a gateway that does not finish in time (%s) did not accept',
    async (how) => {
      const { post } = await simulate(() => how, { deadlineMs: 150 });
      const { body } = await post('/send', alipay);
      expect(body).toMatchObject({
        accepted: 0,
        sendings: [{ status: null, body: null, accepted: false, reason: 'timeout' }],
      });
    },
  );

  test('a gateway that hangs up, or is down, did not accept', async () => {
    const { gateway, post } = await simulate(() => 'hang_up');
    expect((await post('/send', alipay)).body.sendings).toMatchObject([{ reason: 'unreachable' }]);
    await gateway.close();
    expect((await post('/send', alipay)).body.sendings).toMatchObject([
      { reason: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') },
    ]);
  });
});

describe('copies', () => {
  test('nine copies are sent at the same moment, with one notification ID and nine signatures', async () => {
    let release = (_: Answer) => {};
    const all = new Promise<Answer>((resolve) => {
      release = resolve;
    });
    const { gateway, post } = await simulate((count) => {
      if (count === 9) release(OK);
      return all;
    });
    const { body } = await post('/send', { channel: 'sim-wechat', message: payment, copies: 9 });
    expect(body).toMatchObject({ accepted: 9, refused: 0 });
    expect(gateway.mostAtOnce()).toBe(9);
    const ids = gateway.received.map((request) => JSON.parse(request.body.toString()).id);
    expect(new Set(ids)).toEqual(new Set([body.notificationId]));
    const signatures = gateway.received.map(({ headers }) => headers['wechatpay-signature']);
    expect(new Set(signatures).size).toBe(9);
  });

  test('identical copies have the same bytes', async () => {
    const { gateway, post } = await simulate(() => OK);
    await post('/send', { ...alipay, copies: 3, identical: true });
    expect(new Set(gateway.received.map(({ body }) => body.toString())).size).toBe(1);
    expect(gateway.received).toHaveLength(3);
  });
});

describe('the retry schedule', () => {
  test('is climbed until the notification is accepted, each time with a new signature', async () => {
    const { gateway, post } = await simulate((count) => (count < 3 ? NO : OK));
    const { status, body } = await post('/send', { ...alipay, retry: true, wait: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 1, refused: 2, retrying: false });
    expect(body.sendings).toMatchObject([
      { attempt: 1, accepted: false, reason: 'wrong_status' },
      { attempt: 2, accepted: false },
      { attempt: 3, accepted: true },
    ]);
    expect(gateway.received.map(alipayVerifies)).toEqual([true, true, true]);
    const fields = gateway.received.map((request) => new URLSearchParams(request.body.toString()));
    expect(new Set(fields.map((one) => one.get('notify_id')))).toEqual(
      new Set([body.notificationId]),
    );
  });

  test('ends when it is exhausted', async () => {
    const { gateway, post } = await simulate(() => NO);
    const { body } = await post('/send', { ...alipay, retry: true, wait: true });
    expect(body).toMatchObject({ accepted: 0, refused: 8, retrying: false });
    expect(gateway.received).toHaveLength(1 + RETRY_SCHEDULES.alipay.length);
  });

  test('without retry a refused notification is sent once', async () => {
    const { gateway, post } = await simulate(() => NO);
    const { body } = await post('/send', alipay);
    expect([body.refused, gateway.received.length]).toEqual([1, 1]);
  });

  test('goes on after the answer when the caller does not wait for it', async () => {
    const { app, post } = await simulate((count) => (count < 3 ? NO : OK));
    const { status, body } = await post('/send', { ...alipay, retry: true });
    expect([status, body.retrying]).toEqual([202, true]);
    await eventually(async () => {
      const { sendings } = (await app.inject('/sendings?orderNumber=T1')).json();
      expect(sendings).toMatchObject([
        { attempt: 3, accepted: true },
        { attempt: 2, accepted: false },
        { attempt: 1, accepted: false },
      ]);
    });
  });

  test('is abandoned at once when the simulator stops, and so are messages in flight', async () => {
    const { gateway, player, post } = await simulate((count) => (count === 1 ? NO : 'hang'), {
      timeCompression: 1,
    });
    const waiting = post('/send', { ...alipay, retry: true, wait: true });
    const hanging = post('/send', { ...alipay, channel: 'sim-wechat' });
    await eventually(() => expect(gateway.received).toHaveLength(2));
    await player.stop();
    const both = (await Promise.all([waiting, hanging])).map(({ body }) => body.sendings);
    expect(both.flat()).toContainEqual(expect.objectContaining({ reason: 'stopped' }));
    expect(gateway.received).toHaveLength(2);
  });
});

describe('forgeries', () => {
  test.each(['foreign_key', 'changed_content'])(
    'every copy of a forgery (%s) fails verification',
    async (forge) => {
      const { gateway, post } = await simulate(() => ({ status: 401, body: 'fail' }));
      const { body } = await post('/send', { ...alipay, forge, copies: 3 });
      expect(body).toMatchObject({
        accepted: 0,
        refused: 3,
        sendings: [{ forged: forge }, {}, {}],
      });
      expect(gateway.received.map(alipayVerifies)).toEqual([false, false, false]);
    },
  );

  test('a signature probe has its prefix', async () => {
    const { gateway, post } = await simulate(() => ({ status: 401 }));
    await post('/send', { channel: 'sim-wechat', message: payment, forge: 'signature_probe' });
    expect(gateway.received[0]?.headers['wechatpay-signature']).toMatch(/^WECHATPAY\/SIGNTEST\//);
  });

  test('either key of the WeChat channel can sign', async () => {
    const { gateway, post } = await simulate(() => ({ status: 204 }));
    const input = { channel: 'sim-wechat', message: payment };
    await post('/send', input);
    await post('/send', { ...input, signWith: 'public_key' });
    const serials = gateway.received.map(({ headers }) => headers['wechatpay-serial']);
    expect(serials).toEqual([
      expect.stringMatching(/^[0-9A-F]{40}$/),
      expect.stringMatching(/^PUB_KEY_ID_\d+$/),
    ]);
  });
});
