import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channels, loadChannels } from '@payonce/core/config/channels';
import { secretReader } from '@payonce/core/config/secrets';
import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import { testChannels } from '@payonce/testkit/channels/test-channels';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendInput } from './messages.js';
import { compose, type Scenario } from './scenarios.js';

/**
 * The signers were written from the providers' documents alone; this tests them with the product's
 * verifiers.
 */

const directory = mkdtempSync(join(tmpdir(), 'payonce-scenarios-'));
let simulated: SimulatedChannels;
let channels: Channels;
beforeAll(async () => {
  simulated = await testChannels(directory);
  channels = load(false);
});
afterAll(() => rmSync(directory, { recursive: true }));

function load(production: boolean): Channels {
  const readSecret = secretReader({}, directory);
  return loadChannels(readFileSync(simulated.channelsFile, 'utf8'), { production, readSecret });
}

const trade = { orderNumber: 'T1', trade: '42', amount: '8888' };
const refund = { ...trade, kind: 'refund', refundId: '7', refundAmount: 100, refundedTotal: 100 };
const combined = {
  kind: 'combined',
  combinedOrderNumber: 'C1',
  orders: [trade, { ...trade, orderNumber: 'T2' }],
};
const said: [string, object, string[]][] = [
  ['sim-alipay', { kind: 'payment', ...trade }, ['order']],
  ['sim-alipay', { kind: 'finished', ...trade }, ['order']],
  ['sim-alipay', { kind: 'closed', ...trade }, ['order']],
  ['sim-alipay', { kind: 'waiting', ...trade }, ['nothing']],
  ['sim-alipay', { ...refund, full: false }, ['order']],
  ['sim-alipay', { ...refund, refundedTotal: 8888, full: true }, ['order']],
  [
    'sim-alipay',
    { kind: 'platform_message', method: 'alipay.x.changed', content: {} },
    ['unsupported'],
  ],
  ['sim-wechat', { kind: 'payment', ...trade }, ['order']],
  ['sim-wechat', { kind: 'failed', ...trade }, ['nothing']],
  ['sim-wechat', { ...refund, full: false }, ['order']],
  ['sim-wechat', { ...refund, full: false, status: 'abnormal' }, ['order']],
  ['sim-wechat', { ...refund, full: false, status: 'closed' }, ['order']],
  ['sim-wechat', combined, ['order', 'order']],
  ['sim-wechat', { kind: 'event', eventType: 'PAYSCORE.USER_PAID', resource: {} }, ['unsupported']],
  ['sim-wechat-v2', { kind: 'payment', ...trade }, ['order']],
  ['sim-wechat-v2', { kind: 'failed', ...trade }, ['nothing']],
  ['sim-wechat-v2', { ...refund, full: false }, ['order']],
  ['sim-wechat-v2', { ...refund, full: false, status: 'abnormal' }, ['order']],
];

function played(channel: string, message: object, how: object = {}): Scenario {
  const playable = compose(simulated, sendInput.parse({ channel, message, ...how }));
  if (playable === null) throw new Error('the provider sends no such message');
  return playable;
}

function verified(channel: string, { body, headers }: SignedRequest) {
  const provider = channels.get(channel)?.provider;
  if (provider === undefined) throw new Error(`${channel} was not loaded`);
  const verification = provider.verify({ body, headers, receivedAt: new Date() });
  return { verification, events: verification.ok ? provider.decode(verification.request) : [] };
}

describe.each(said)('%s %j', (channel, message, kinds) => {
  test('is accepted as genuine and understood, and so is its re-send, as the same notification', () => {
    const { first, again } = played(channel, message);
    const original = verified(channel, first);
    expect(original.events.map(({ kind }) => kind)).toEqual(kinds);
    const resent = verified(channel, again());
    expect(resent.events).toEqual(original.events);
    expect(resent.verification).toMatchObject({
      ok: true,
      notificationId: original.verification.ok && original.verification.notificationId,
      digest: original.verification.ok && original.verification.digest,
    });
  });

  test.each(['foreign_key', 'changed_content'])('is refused when forged (%s)', (forge) => {
    const { first, again } = played(channel, message, { forge });
    for (const request of [first, again()]) {
      expect(verified(channel, request).verification.ok).toBe(false);
    }
  });
});

test('WeChat notifications with the public key verify beside those with the certificate', () => {
  const { first } = played('sim-wechat', { kind: 'payment', ...trade }, { signWith: 'public_key' });
  expect(first.headers['wechatpay-serial']).toMatch(/^PUB_KEY_ID_/);
  expect(verified('sim-wechat', first).verification.ok).toBe(true);
});

test('a signature probe is distinguished from a forgery', () => {
  const { first } = played(
    'sim-wechat',
    { kind: 'payment', ...trade },
    { forge: 'signature_probe' },
  );
  expect(verified('sim-wechat', first).verification).toEqual({
    ok: false,
    reason: 'signature_probe',
  });
});

test('the payee of the simulation is the one in its channels', () => {
  for (const channel of ['sim-alipay', 'sim-wechat', 'sim-wechat-v2']) {
    const { first } = played(channel, { kind: 'payment', ...trade });
    expect(verified(channel, first).events).toMatchObject([
      { kind: 'order', orderNumber: 'T1', trade: '42', amount: 8888n, payeeMatches: true },
    ]);
  }
});

test('the simulated channels are refused in production', () => {
  expect(() => load(true)).toThrow(
    expect.objectContaining({
      faults: Array.from({ length: 3 }, () => expect.stringMatching(/simulat/)),
    }),
  );
});
