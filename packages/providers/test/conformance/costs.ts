import type { PaymentProvider } from '@payonce/providers/provider';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { expect, it } from 'vitest';
import { type Harness, PAYMENT, received } from './harness.js';

/** Verifying a rejected body may take as long as verifying this many genuine notifications. */
const MOST_GENUINE = 40;

export function costs(harness: Harness, provider: PaymentProvider): void {
  const limit = harness.definition.maxBodyBytes;
  const genuine = harness.signer.payment(PAYMENT);

  it.each(harness.expensive(limit))(
    'a rejected body of the largest size is cheap: %s',
    (...one) => {
      const [, body] = one;
      expect(body.length).toBeLessThanOrEqual(limit);
      expect(body.length).toBeGreaterThan(0.9 * limit);
      const hostile = { ...genuine, body };
      expect(provider.verify(received(hostile)).ok).toBe(false);
      const usual = shortestMs(provider, genuine);
      expect(shortestMs(provider, hostile)).toBeLessThan(MOST_GENUINE * usual);
    },
  );
}

/** The shortest of many runs: other processes only make a run longer. */
function shortestMs(provider: PaymentProvider, request: SignedRequest): number {
  const runs = Array.from({ length: 100 }, () => {
    const start = performance.now();
    provider.verify(received(request));
    return performance.now() - start;
  });
  return Math.min(...runs);
}
