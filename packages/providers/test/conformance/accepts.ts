import type { PaymentProvider } from '@payonce/providers/provider';
import { expect, it } from 'vitest';
import { type Harness, PAYMENT, REFUND } from './harness.js';
import { reasonOf, said, verdict } from './verdicts.js';

export function accepts(harness: Harness, provider: PaymentProvider): void {
  const { signer, rail } = harness;

  it('accepts a genuine payment, with payer, amount and order', () => {
    const { events } = said(provider, signer.payment(PAYMENT));
    const { orderNumber, trade, amount, paidAt: at } = PAYMENT;
    expect(events).toEqual([
      {
        kind: 'order',
        rail,
        orderNumber,
        trade,
        amount,
        currency: 'CNY',
        payeeMatches: true,
        signed: true,
        facts: [{ kind: 'paid', rail, trade, amount, at }],
      },
    ]);
  });

  it('accepts a genuine refund, and states that the trade was paid and how much was refunded', () => {
    const { events } = said(provider, signer.refund(REFUND));
    expect(events).toMatchObject([
      { kind: 'order', orderNumber: REFUND.orderNumber, trade: REFUND.trade, payeeMatches: true },
    ]);
    const facts = events.flatMap((event) => (event.kind === 'order' ? event.facts : []));
    const amounts = facts.map((fact) => ('amount' in fact ? fact.amount : null));
    expect(facts.map(({ kind }) => kind)).toEqual([
      'paid',
      rail === 'alipay' ? 'refund_total' : 'refund',
    ]);
    expect(amounts).toEqual([REFUND.amount, REFUND.refundAmount]);
  });

  it('needs no more headers than it names: the worker has only those', () => {
    const { body, headers } = signer.payment(PAYMENT);
    const carried = Object.fromEntries(
      provider.signatureHeaders.flatMap((name) =>
        headers[name] === undefined ? [] : [[name, headers[name]]],
      ),
    );
    expect(reasonOf(verdict(provider, { body, headers: carried }))).toBe('accepted');
  });

  it('accepts fields in another order, if order has no meaning', () => {
    const payment = signer.payment(PAYMENT);
    const reordered = harness.reordered(payment);
    if (reordered === null) return expect(harness.reserialised(payment)).not.toBeNull();
    expect(reordered.body.equals(payment.body)).toBe(false);
    expect(said(provider, reordered)).toEqual(said(provider, payment));
  });
}

export function identifies(harness: Harness, provider: PaymentProvider): void {
  const { signer } = harness;

  it.each([
    ['payment', () => signer.payment(PAYMENT)],
    ['refund', () => signer.refund(REFUND)],
  ])('a %s accepted again is the same notification with the same content', (_, make) => {
    const first = make();
    expect(said(provider, first)).toEqual(said(provider, first));
    const resent = signer.resend(first);
    expect(said(provider, resent)).toEqual(said(provider, first));
  });

  it('other content with the same ID has another digest', () => {
    const first = said(provider, signer.payment(PAYMENT));
    const other = said(provider, signer.payment({ ...PAYMENT, amount: PAYMENT.amount + 1n }));
    expect(other.notificationId).toBe(first.notificationId);
    expect(other.digest).not.toBe(first.digest);
  });

  it('another payment has another ID', () => {
    const { notificationId: _, ...anew } = PAYMENT;
    const trades = [PAYMENT.trade, '4200002026112300000000000002'];
    const ids = trades.map((trade) => said(provider, signer.payment({ ...anew, trade })));
    expect(ids[0]?.notificationId).not.toBe(ids[1]?.notificationId);
  });

  it('every notification for an order has its number as shard key, and so goes to one shard', () => {
    for (const request of [signer.payment(PAYMENT), signer.refund(REFUND)]) {
      expect(said(provider, request).shardKey).toBe(PAYMENT.orderNumber);
    }
  });

  it('ID and digest fit the database: up to 128 visible characters, 64 hex digits', () => {
    const { notificationId, digest } = said(provider, signer.payment(PAYMENT));
    expect(notificationId).toMatch(/^[\x20-\x7e]{1,128}$/);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
}
