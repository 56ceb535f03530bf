import { connect } from 'node:net';
import { beforeEach, expect, inject, test } from 'vitest';
import {
  aPayment,
  expectOnlyRefusals,
  type Gateway,
  makeGateway,
  makeProviders,
  type Post,
  portOf,
  redisSettings,
  sendTo,
  untilReady,
} from './harness.js';

const providers = await makeProviders();
let gateway: Gateway;
let settings: ReturnType<typeof redisSettings>;

beforeEach(async () => {
  settings = redisSettings(inject('redisUrl'));
  gateway = makeGateway(settings, providers);
  await untilReady(gateway.queue);
  return () => gateway.close();
});

const send = (url: string, post?: Post) => sendTo(gateway, url, post);
const expectNothingElse = () => expectOnlyRefusals(gateway, settings);

test.each([
  '/',
  '/notify',
  '/notify/',
  '/notify/alipay',
  '/notify/paypal/shop',
  '/NOTIFY/alipay/sim-alipay',
  '/notify/alipay/sim-alipay/',
  '/notify/alipay/sim-alipay/more',
  '/metrics',
  '/livez',
  '/readyz',
  '/queues',
  '/favicon.ico',
])('the public port has nothing at %s', async (url) => {
  for (const method of ['GET', 'POST'] as const) {
    const payload = { body: '{"broken', headers: { 'content-type': 'application/json' } };
    const post = method === 'POST' ? payload : {};
    expect(await send(url, { method, ...post })).toEqual({
      status: 404,
      type: undefined,
      body: '',
    });
  }
  await expectNothingElse();
});

test('an address that cannot be decoded is 400 without a body', async () => {
  expect(await send('/notify/alipay/%zz')).toEqual({ status: 400, type: undefined, body: '' });
  await expectNothingElse();
});

test("only a trusted proxy may state the client's address", async () => {
  const trusting = makeGateway(settings, providers, { trustedProxies: ['127.0.0.1'] });
  try {
    for (const { app, logLines, ip } of [
      { ...gateway, ip: '127.0.0.1' },
      { ...trusting, ip: '203.0.113.9' },
    ]) {
      await app.inject({
        url: '/notify/alipay/sim-alipay',
        method: 'POST',
        headers: { 'x-forwarded-for': '203.0.113.9' },
        payload: 'forged',
      });
      expect(logLines.map((line) => JSON.parse(line))).toContainEqual(
        expect.objectContaining({
          msg: 'notification.received',
          outcome: 'rejected',
          reason: 'malformed',
          ip,
        }),
      );
    }
  } finally {
    await trusting.close();
  }
});

test('refusals are counted by reason, and probes and unknown keys separately', async () => {
  const { headers, body } = providers.signers['sim-wechat'].payment(aPayment());
  const path = '/notify/wechatpay/sim-wechat';
  await send(path, { body, headers: { ...headers, 'wechatpay-serial': 'ABCDEF' } });
  const probe = 'WECHATPAY/SIGNTEST/AAAAAAAAAAAAAAAAAAAAAAAA';
  await send(path, { body, headers: { ...headers, 'wechatpay-signature': probe } });
  await send(path, { body, headers });
  const text = await gateway.metrics.metrics();
  const labels = 'provider="wechatpay",channel="sim-wechat"';
  for (const line of [
    `payonce_gateway_received_total{${labels},process="gateway"} 3`,
    `payonce_gateway_accepted_total{${labels},process="gateway"} 1`,
    `payonce_gateway_rejected_total{${labels},reason="unknown_key",process="gateway"} 1`,
    `payonce_gateway_rejected_total{${labels},reason="signature_probe",process="gateway"} 1`,
    `payonce_gateway_unknown_keys_total{${labels},process="gateway"} 1`,
    `payonce_gateway_signature_probes_total{${labels},process="gateway"} 1`,
    'payonce_gateway_enqueue_seconds_count{process="gateway",result="ok"} 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

test('an acknowledged notification has one line, with its ID, its order and its store', async () => {
  const payment = aPayment();
  const { body, headers } = providers.signers['sim-alipay'].payment(payment);
  await send('/notify/alipay/sim-alipay', { body, headers });
  const lines = gateway.logLines.map((line) => JSON.parse(line));
  expect(lines.filter(({ msg }) => msg === 'notification.received')).toEqual([
    expect.objectContaining({
      level: 'debug',
      provider: 'alipay',
      channel: 'sim-alipay',
      outcome: 'accepted',
      orderNumber: payment.orderNumber,
      notificationId: expect.stringMatching(/./),
      bytes: body.length,
      verifyMs: expect.any(Number),
      enqueueMs: expect.any(Number),
      store: 'redis',
    }),
  ]);
});

test('no log line holds a body, a signature or a payer', async () => {
  const { body, headers } = providers.signers['sim-alipay'].payment(aPayment());
  await send('/notify/alipay/sim-alipay', { body, headers });
  const sign = /sign=([^&]+)/.exec(body.toString('latin1'))?.[1] ?? '';
  expect(sign).not.toBe('');
  const log = gateway.logLines.join('');
  expect(log).toContain('"outcome":"accepted"');
  expect(log).not.toContain(sign.slice(0, 20));
  expect(log).not.toContain(body.toString('base64').slice(0, 40));
  expect(log).not.toMatch(/buyer/);
});

test('what is not HTTP gets 400, and the connection is closed', async () => {
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: portOf(gateway) });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write('this is not HTTP\r\n\r\n');
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  await expectNothingElse();
});

test('a body that exceeds the limit while it arrives is 413, before it ends', async () => {
  await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: portOf(gateway) });
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\r\n\r\nfail')) resolve(text);
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error) => (text ? resolve(text) : reject(error)));
    socket.write(
      'POST /notify/alipay/sim-alipay HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `${(64 * 1024).toString(16)}\r\n${'a'.repeat(64 * 1024)}\r\n`;
    for (let sent = 0; sent < 5; sent += 1) socket.write(chunk);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\n\r\nfail$/);
});
