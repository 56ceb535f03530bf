import { expect, inject, test } from 'vitest';
import { aPayment, makeGateway, makeProviders, redisSettings, untilReady } from './harness.js';

const providers = await makeProviders();

const CHANNELS = [
  ['alipay', 'sim-alipay'],
  ['wechatpay', 'sim-wechat'],
  ['wechatpay-v2', 'sim-wechat-v2'],
] as const;

/** A gateway whose clock is wrong by so much, after two payments of each provider. */
async function receiveAll(wrongBySeconds: number) {
  const clock = () => new Date(Date.now() + wrongBySeconds * 1_000);
  const gateway = makeGateway(redisSettings(inject('redisUrl')), providers, { clock });
  try {
    await untilReady(gateway.queue);
    for (const [provider, channel] of [...CHANNELS, ...CHANNELS]) {
      const { body, headers } = providers.signers[channel].payment(aPayment());
      const url = `/notify/${provider}/${channel}`;
      const reply = await gateway.app.inject({ url, method: 'POST', headers, payload: body });
      expect(reply.statusCode).toBeLessThan(300);
    }
    const { values } = (await gateway.metrics
      .getSingleMetric('payonce_clock_skew_seconds')
      ?.get()) ?? {
      values: [],
    };
    return {
      skews: values.map(({ labels, value }) => [labels.channel, value] as const),
      warnings: gateway.logLines
        .map((line) => JSON.parse(line))
        .filter(({ level }) => level === 'warn'),
    };
  } finally {
    await gateway.close();
  }
}

test.each([200, -200])(
  'a clock that is wrong by %i s is measured, and logged once per channel',
  async (wrong) => {
    const { skews, warnings } = await receiveAll(wrong);
    // v2 does not state the time of sending.
    expect(skews.map(([channel]) => channel)).toEqual(['sim-alipay', 'sim-wechat']);
    for (const [, skew] of skews) {
      expect(skew).toBeGreaterThan(wrong - 2);
      expect(skew).toBeLessThan(wrong + 10);
    }
    expect(warnings.map(({ channel, msg }) => [channel, msg])).toEqual([
      ['sim-alipay', 'clock.differs_from_provider'],
      ['sim-wechat', 'clock.differs_from_provider'],
    ]);
  },
);

test('a correct clock is measured and not logged', async () => {
  const { skews, warnings } = await receiveAll(0);
  expect(skews).toHaveLength(2);
  for (const [, skew] of skews) expect(Math.abs(skew)).toBeLessThan(10);
  expect(warnings).toEqual([]);
});
