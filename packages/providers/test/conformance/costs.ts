import type { PaymentProvider } from '@payonce/providers/provider';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { expect, it } from 'vitest';
import { type Harness, PAYMENT, received } from './harness.js';

/** Verifying a rejected body may take as long as verifying this many genuine notifications. */
const MOST_GENUINE = 40;
const LEAST_TURNS = 40;
/** Seconds, for a body that is too expensive. */
const MOST_TURNS = 400;

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
      expect(ratioOf(provider, hostile, genuine)).toBeLessThan(MOST_GENUINE);
    },
  );
}

/**
 * Times both in turns, for as long each. Everything else that runs only adds to a time, so the
 * shortest ones are compared, and more turns follow while the result is too large: a busy machine
 * slows a large body down more than a small one.
 */
function ratioOf(provider: PaymentProvider, one: SignedRequest, other: SignedRequest): number {
  let [shortest, shortestOther] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const msOther = msOf(provider, other, MOST_GENUINE) / MOST_GENUINE;
    shortestOther = Math.min(shortestOther, msOther);
    shortest = Math.min(shortest, msOf(provider, one, 1));
    if (turn >= LEAST_TURNS && shortest / shortestOther < MOST_GENUINE) break;
  }
  return shortest / shortestOther;
}

function msOf(provider: PaymentProvider, request: SignedRequest, times: number): number {
  const start = performance.now();
  for (let n = 0; n < times; n += 1) provider.verify(received(request));
  return performance.now() - start;
}
