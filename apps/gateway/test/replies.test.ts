import { bodyOf } from '@payonce/core/queue/job';
import type { ProviderSigner } from '@payonce/testkit/signers/request';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import {
  aPayment,
  expectOnlyRefusals,
  type Gateway,
  jobsIn,
  makeGateway,
  makeProviders,
  type Post,
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

const XML_SUCCESS =
  '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';
const XML_FAIL =
  '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[FAIL]]></return_msg></xml>';

const CASES = [
  {
    channel: 'sim-alipay',
    path: '/notify/alipay/sim-alipay',
    largest: 128 * 1024,
    accepted: { status: 200, type: 'text/plain', body: 'success' },
    failed: { type: 'text/plain', body: 'fail' },
  },
  {
    channel: 'sim-wechat',
    path: '/notify/wechatpay/sim-wechat',
    largest: 256 * 1024,
    accepted: { status: 204, type: undefined, body: '' },
    failed: { type: 'application/json', body: '{"code":"FAIL","message":"not accepted"}' },
  },
  {
    channel: 'sim-wechat-v2',
    path: '/notify/wechatpay-v2/sim-wechat-v2',
    largest: 64 * 1024,
    accepted: { status: 200, type: 'text/xml', body: XML_SUCCESS },
    failed: { type: 'text/xml', body: XML_FAIL },
  },
] as const;

const send = (url: string, post?: Post) => sendTo(gateway, url, post);
const expectNothingElse = () => expectOnlyRefusals(gateway, settings);

describe.each(CASES)('$channel', ({ channel, path, largest, accepted, failed }) => {
  const signer = (): ProviderSigner => providers.signers[channel];
  const genuine = () => signer().payment(aPayment());

  test('a genuine notification gets the exact bytes of success, and its bytes are queued', async () => {
    const { body, headers } = genuine();
    expect(await send(path, { body, headers })).toEqual(accepted);
    const [job, ...others] = await jobsIn(settings);
    expect(others).toEqual([]);
    expect(job && bodyOf(job)?.equals(body)).toBe(true);
    for (const [name, value] of Object.entries(job?.headers ?? {})) {
      expect(value).toBe(headers[name]);
    }
    expect(Object.keys(job?.headers ?? {})).toEqual(
      providers.channels.get(channel)?.provider.signatureHeaders,
    );
    expect(job).not.toHaveProperty('digest');
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
    ['a body of the largest size', Buffer.alloc(largest, 'a')],
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
    const body = Buffer.alloc(largest + 1, 'a');
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

test('a signature of another type is refused here: a job does not carry the type to a worker', async () => {
  const { body, headers } = providers.signers['sim-wechat'].payment(aPayment());
  for (const type of ['WECHATPAY2-SM2-WITH-SM3', '']) {
    const answer = await send('/notify/wechatpay/sim-wechat', {
      body,
      headers: { ...headers, 'wechatpay-signature-type': type },
    });
    expect(answer.status).toBe(400);
  }
  await expectNothingElse();
});
