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
      expect(medianRatio(provider, hostile, genuine)).toBeLessThan(MOST_GENUINE);
    },
  );
}

/** Times both in turns, for as long each: whatever else runs slows both down. */
function medianRatio(provider: PaymentProvider, one: SignedRequest, other: SignedRequest): number {
  const ratios = Array.from({ length: 41 }, () => {
    const others = msOf(provider, other, MOST_GENUINE) / MOST_GENUINE;
    return msOf(provider, one, 1) / others;
  });
  return ratios.toSorted((a, b) => a - b)[20] ?? Number.NaN;
}

function msOf(provider: PaymentProvider, request: SignedRequest, times: number): number {
  const start = performance.now();
  for (let n = 0; n < times; n += 1) provider.verify(received(request));
  return performance.now() - start;
}
