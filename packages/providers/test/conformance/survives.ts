import type { PaymentProvider } from '@payonce/providers/provider';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Harness, NOW, PAYMENT } from './harness.js';
import { said, verdict } from './verdicts.js';

export function survives(harness: Harness, provider: PaymentProvider): void {
  const payment = harness.signer.payment(PAYMENT);
  const bytes = fc.uint8Array({ maxLength: 512 }).map((array) => Buffer.from(array));

  it('never throws on arbitrary bytes, and accepts none', () => {
    const headers = fc.dictionary(
      fc.constantFrom('content-type', ...provider.signatureHeaders, ...provider.gatewayOnlyHeaders),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(bytes, headers, (body, odd) => {
        const request = { body, headers: { ...payment.headers, ...odd }, receivedAt: NOW };
        expect(provider.verify(request).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws on a genuine request with bytes removed or inserted, and never takes it for another', () => {
    const genuine = said(provider, payment);
    const at = fc.nat({ max: payment.body.length });
    fc.assert(
      fc.property(at, fc.nat({ max: 40 }), bytes, (from, cut, put) => {
        const { body } = payment;
        const spliced = Buffer.concat([body.subarray(0, from), put, body.subarray(from + cut)]);
        const changed = { ...payment, body: spliced };
        if (verdict(provider, changed).ok) expect(said(provider, changed)).toEqual(genuine);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws while it decodes an accepted request, and always returns an event', () => {
    let decoded = 0;
    fc.assert(
      fc.property(harness.anySigned, (request) => {
        const verification = verdict(provider, request);
        if (!verification.ok) return;
        decoded++;
        const events = provider.decode(verification.request);
        expect(events.length).toBeGreaterThan(0);
        for (const event of events) {
          if (event.kind === 'order') expect(event.facts.length).toBeGreaterThan(0);
          // PostgreSQL takes no NUL.
          expect(event.orderNumber ?? '').not.toContain('\0');
        }
      }),
      { numRuns: 400 },
    );
    expect(decoded).toBeGreaterThan(50);
  });
}
