import { connect } from 'node:net';
import type { ProviderSigner } from '@payonce/testkit/request';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  aPayment,
  type Gateway,
  jobsIn,
  makeGateway,
  makeProviders,
  type Providers,
  portOf,
  redisSettings,
  untilReady,
} from './harness.js';

let providers: Providers;
let gateway: Gateway;
let settings: ReturnType<typeof redisSettings>;

beforeAll(async () => {
  providers = await makeProviders();
});
afterAll(() => providers.remove());

beforeEach(async () => {
  settings = redisSettings(inject('redisUrl'));
  gateway = makeGateway(settings, providers);
  await untilReady(gateway.queue);
  return () => gateway.close();
});

const XML_SUCCESS =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
const XML_FAIL =
  '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

const CASES = [
  {
    channel: 'sim-alipay',
    path: '/notify/alipay/sim-alipay',
    accepted: { status: 200, type: 'text/plain', body: 'success' },
    failed: { type: 'text/plain', body: 'fail' },
  },
  {
    channel: 'sim-wechat',
    path: '/notify/wechatpay/sim-wechat',
    accepted: { status: 204, type: undefined, body: '' },
    failed: { type: 'application/json', body: '{"code":"FAIL","message":"not accepted"}' },
  },
  {
    channel: 'sim-wechat-v2',
    path: '/notify/wechatpay-v2/sim-wechat-v2',
    accepted: { status: 200, type: 'text/xml', body: XML_SUCCESS },
    failed: { type: 'text/xml', body: XML_FAIL },
  },
] as const;

interface Post {
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: 'POST' | 'GET' | 'PUT' | 'DELETE' | 'HEAD' | 'OPTIONS';
}

async function send(url: string, { body, headers = {}, method = 'POST' }: Post = {}) {
  const response = await gateway.app.inject({
    url,
    method,
    headers: { ...headers },
    ...(body !== undefined && { payload: body }),
  });
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    body: response.body,
  };
}

/** Bad input gets a refusal and nothing else: no job, no log line above `info`. */
async function expectNothingElse(): Promise<void> {
  expect(await jobsIn(settings)).toEqual([]);
  expect(gateway.logLines.filter((line) => /"level":"(warn|error|fatal)"/.test(line))).toEqual([]);
}

describe.each(CASES)('$channel', ({ channel, path, accepted, failed }) => {
  const signer = (): ProviderSigner => providers.signers[channel];
  const genuine = () => signer().payment(aPayment());

  test('a genuine notification gets the exact bytes of success, and its own bytes are queued', async () => {
    const { body, headers } = genuine();
    expect(await send(path, { body, headers })).toEqual(accepted);
    const [job, ...others] = await jobsIn(settings);
    expect(others).toEqual([]);
    expect(Buffer.from(job?.bodyBase64 ?? '', 'base64').equals(body)).toBe(true);
    for (const [name, value] of Object.entries(job?.headers ?? {})) {
      expect(value).toBe(headers[name]);
    }
  });

  test('copies are all acknowledged and are one job', async () => {
    const notification = genuine();
    const copies = [notification, notification, signer().resend(notification)];
    for (const copy of copies) expect(await send(path, copy)).toEqual(accepted);
    expect(await jobsIn(settings)).toHaveLength(1);
  });

  test.each(['foreign_key', 'changed_content'] as const)(
    'a forged one (%s) gets 401 and one constant text',
    async (kind) => {
      const forged = signer().forge(genuine(), kind);
      expect(await send(path, forged)).toEqual({ status: 401, ...failed });
      await expectNothingElse();
    },
  );

  test.each([
    ['nothing at all', undefined],
    ['an empty body', ''],
    ['something else', 'hello'],
    ['bytes that are no text', Buffer.from([0, 255, 254, 0, 128])],
    ['a body of the largest size', Buffer.alloc(256 * 1024, 'a')],
  ])('%s is malformed: 400 and the same text', async (_name, body) => {
    const post = body === undefined ? {} : { body };
    expect(await send(path, post)).toEqual({ status: 400, ...failed });
    await expectNothingElse();
  });

  test('a channel that does not exist, or is of another provider, is 404 with the same text', async () => {
    const root = path.slice(0, path.lastIndexOf('/'));
    const other = CASES.find((one) => one.channel !== channel)?.channel;
    for (const name of ['', 'no-such', other, 'x'.repeat(300), '%00', '__proto__']) {
      expect(await send(`${root}/${name}`, genuine())).toEqual({ status: 404, ...failed });
    }
    await expectNothingElse();
  });

  test.each(['GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'] as const)(
    '%s is 405 with the same text',
    async (method) => {
      const body = method === 'HEAD' ? { body: '' } : {};
      expect(await send(path, { method })).toEqual({ status: 405, ...failed, ...body });
      const response = await gateway.app.inject({ url: `${path}?a=b`, method });
      expect(response.headers.allow).toBe('POST');
      await expectNothingElse();
    },
  );

  test('one byte too many is 413 with the same text', async () => {
    const body = Buffer.alloc(256 * 1024 + 1, 'a');
    expect(await send(path, { body })).toEqual({ status: 413, ...failed });
    await expectNothingElse();
  });

  test.each(['gzip', 'br', 'deflate', 'identity', 'nonsense'])(
    'a body encoded as %s is 415 with the same text',
    async (encoding) => {
      const { body, headers } = genuine();
      const encoded = { ...headers, 'content-encoding': encoding };
      expect(await send(path, { body, headers: encoded })).toEqual({ status: 415, ...failed });
      await expectNothingElse();
    },
  );

  test.each([
    '',
    'text',
    'a/b/c',
    'text/html',
    'multipart/form-data',
    '*/*; charset',
    'application/json',
  ])('the content type does not matter: %j', async (type) => {
    const { body, headers } = genuine();
    expect(await send(path, { body, headers: { ...headers, 'content-type': type } })).toEqual(
      accepted,
    );
  });
});

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

test('an address that cannot be decoded is 400 with nothing in it', async () => {
  expect(await send('/notify/alipay/%zz')).toEqual({ status: 400, type: undefined, body: '' });
  await expectNothingElse();
});

test('nobody says who the client is but a trusted proxy', async () => {
  const trusting = makeGateway(settings, providers, ['127.0.0.1']);
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
        expect.objectContaining({ msg: 'refused', reason: 'malformed', ip }),
      );
    }
  } finally {
    await trusting.close();
  }
});

test('refusals are counted by reason, and probes and unknown keys on their own', async () => {
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
    'payonce_gateway_enqueue_seconds_count{process="gateway",queue="redis",result="ok"} 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

test('no log line holds a body, a signature or a payer', async () => {
  const { body, headers } = providers.signers['sim-alipay'].payment(aPayment());
  await send('/notify/alipay/sim-alipay', { body, headers });
  const sign = /sign=([^&]+)/.exec(body.toString('latin1'))?.[1] ?? '';
  expect(sign).not.toBe('');
  const log = gateway.logLines.join('');
  expect(log).toContain('accepted');
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

test('a body that grows beyond the limit while it comes is 413, before it ends', async () => {
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
