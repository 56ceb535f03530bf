import { describe, expect, test } from 'vitest';
import { alipay, OK, payment, useSimulator } from '../test/simulate.js';

const { simulate } = useSimulator();

describe('sequences', () => {
  const refund = {
    kind: 'refund',
    orderNumber: 'T1',
    trade: '42',
    amount: '8888',
    refundId: 'R1',
    refundAmount: 100,
    refundedTotal: 100,
    full: false,
  };
  const steps = [alipay, { channel: 'sim-alipay', message: refund }];

  test('a refund can be delivered before its payment', async () => {
    const { gateway, post } = await simulate(() => OK);
    const { body } = await post('/sequence', { steps, deliver: 'reversed' });
    expect(body.steps).toMatchObject([
      { step: 1, accepted: 1 },
      { step: 0, accepted: 1 },
    ]);
    const fees = gateway.received.map((one) =>
      new URLSearchParams(one.body.toString()).get('refund_fee'),
    );
    expect(fees).toEqual(['1.00', null]);
  });

  test('shuffled delivers every step once', async () => {
    const { gateway, post } = await simulate(() => OK);
    const many = Array.from({ length: 20 }, () => alipay);
    const { body } = await post('/sequence', { steps: many, deliver: 'shuffled' });
    const order = (body.steps as { step: number }[]).map(({ step }) => step);
    expect(order.toSorted((a, b) => a - b)).toEqual(many.map((_, index) => index));
    expect(gateway.received).toHaveLength(20);
  });
});

describe('bad input', () => {
  test.each([
    ['an unknown channel', { ...alipay, channel: 'shop' }, 'channel: '],
    [
      'a missing amount',
      { ...alipay, message: { ...payment, amount: undefined } },
      'message.amount: ',
    ],
    ['a fraction of fen', { ...alipay, message: { ...payment, amount: 1.5 } }, 'message.amount: '],
    ['an unknown field', { ...alipay, copys: 3 }, 'copys'],
    ['too many copies', { ...alipay, copies: 501 }, 'copies: '],
  ])('%s is refused by name and nothing is sent', async (_, input, fault) => {
    const { gateway, post } = await simulate(() => OK);
    const { status, body } = await post('/send', input);
    expect([status, body.error]).toEqual([400, 'invalid']);
    expect(body.faults).toEqual([expect.stringContaining(fault)]);
    expect(gateway.received).toHaveLength(0);
  });

  test.each([
    { channel: 'sim-alipay', message: { ...payment, kind: 'failed' } },
    { channel: 'sim-wechat', message: { ...payment, kind: 'finished' } },
    { ...alipay, forge: 'signature_probe' },
  ])('a message that no provider sends is refused: %j', async (input) => {
    const { gateway, post } = await simulate(() => OK);
    expect(await post('/send', input)).toMatchObject({
      status: 400,
      body: { error: 'impossible' },
    });
    expect(gateway.received).toHaveLength(0);
  });

  test('a command that a web page could send without permission is refused', async () => {
    const { app, gateway } = await simulate(() => OK);
    const headers = { 'content-type': 'text/plain' };
    const reply = await app.inject({
      method: 'POST',
      url: '/send',
      headers,
      payload: JSON.stringify(alipay),
    });
    expect([reply.statusCode, gateway.received.length]).toEqual([415, 0]);
  });
});

test('only the latest sendings are remembered, the latest first', async () => {
  const { app, post } = await simulate(() => OK, { remembered: 2 });
  for (const orderNumber of ['A', 'B', 'C']) {
    await post('/send', { ...alipay, message: { ...payment, orderNumber } });
  }
  const { sendings } = (await app.inject('/sendings')).json();
  expect(sendings).toMatchObject([{ orderNumber: 'C' }, { orderNumber: 'B' }]);
  expect((await app.inject('/sendings?limit=1')).json().sendings).toHaveLength(1);
  expect((await app.inject('/sendings?limit=0')).statusCode).toBe(400);
});
