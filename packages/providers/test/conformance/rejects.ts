import type { PaymentProvider } from '@payonce/providers/provider';
import type { SignedRequest } from '@payonce/testkit/signers/request';
import { expect, it } from 'vitest';
import { type Harness, NOW, PAYMENT, REFUND, withBody } from './harness.js';
import { reasonOf, said, verdict } from './verdicts.js';

export function rejects(harness: Harness, provider: PaymentProvider): void {
  refusesOtherFields(harness, provider);
  refusesOtherSignatures(harness, provider);
  refusesOtherBytes(harness, provider);
  refusesOtherKeysAndTimes(harness, provider);
  refusesOtherMessages(harness, provider);
}

/** Nothing may be missing, and nothing may be repeated. */
function refusesOtherFields(harness: Harness, provider: PaymentProvider): void {
  const payment = harness.signer.payment(PAYMENT);
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it.each(harness.withoutEach(payment))('rejects a payment without %s', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });

  it.each(harness.withDoubled(payment))('rejects a payment with %s doubled', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });
}

/** Only the exact text of the signature counts. */
function refusesOtherSignatures(harness: Harness, provider: PaymentProvider): void {
  const { signer } = harness;
  const payment = signer.payment(PAYMENT);
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it.each<[string, (signature: string) => string]>([
    ['empty', () => ''],
    ['a blank', () => ' '],
    ['truncated', (signature) => signature.slice(0, -4)],
    ['lengthened', (signature) => `${signature}AAAA`],
    ['other text', () => '签名'],
    [
      'with a character changed',
      (signature) => (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1),
    ],
    [
      'with its last characters changed',
      (signature) => `${signature.slice(0, -3)}${signature.endsWith('x==') ? 'y' : 'x'}==`,
    ],
    ['with a line break behind it', (signature) => `${signature}\n`],
  ])('rejects a signature that is %s', (_, change) => {
    expect(reason(harness.withSignature(payment, (signature) => signature))).toBe('accepted');
    expect(reason(harness.withSignature(payment, change))).toMatch(/^(bad_signature|malformed)$/);
  });

  it('rejects a foreign signature, and content changed on the way', () => {
    for (const genuine of [payment, signer.refund(REFUND)]) {
      expect(reason(signer.forge(genuine, 'foreign_key'))).toMatch(
        /^(bad_signature|undecryptable)$/,
      );
      expect(reason(signer.forge(genuine, 'changed_content'))).not.toBe('accepted');
      for (const how of ['foreign_key', 'changed_content'] as const) {
        const forged = verdict(provider, signer.forge(genuine, how), NOW);
        expect(forged).not.toHaveProperty('signedDigest');
      }
    }
  });
}

/** Only the signed content counts, and nothing similar to it. */
function refusesOtherBytes(harness: Harness, provider: PaymentProvider): void {
  const payment = harness.signer.payment(PAYMENT);
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it('rejects a flipped bit anywhere in the body, unless it has no meaning', () => {
    const genuine = said(provider, payment);
    let rejected = 0;
    for (let index = 0; index < payment.body.length; index++) {
      const body = Buffer.from(payment.body);
      body.writeUInt8(body.readUInt8(index) ^ (1 << (index % 8)), index);
      if (reason({ ...payment, body }) === 'accepted') {
        expect(said(provider, { ...payment, body })).toEqual(genuine);
      } else rejected++;
    }
    // If fields are signed, an escape's hex digit may change its case, a line break between
    // elements its kind.
    const bytesAreSigned = harness.reserialised(payment) !== null;
    expect(rejected / payment.body.length).toBeGreaterThanOrEqual(bytesAreSigned ? 1 : 0.8);
  });

  it('rejects the same content in other bytes, if the bytes are signed', () => {
    const other = harness.reserialised(payment);
    if (other === null) return expect(harness.reordered(payment)).not.toBeNull();
    expect(reason(other)).toBe('bad_signature');
  });

  it('rejects an empty body and a huge one', () => {
    expect(reason(withBody(payment, ''))).not.toBe('accepted');
    expect(reason({ ...payment, body: Buffer.alloc(2 ** 20, 'a=1&') })).not.toBe('accepted');
    const padded = Buffer.concat([payment.body, Buffer.alloc(2 ** 20, ' ')]);
    expect(reason({ ...payment, body: padded })).not.toBe('accepted');
  });
}

/** Keys and signed times are valid for a limited time. */
function refusesOtherKeysAndTimes(harness: Harness, provider: PaymentProvider): void {
  const { signer } = harness;
  const payment = signer.payment(PAYMENT);
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it('rejects an unknown key', () => {
    const unknown = harness.unknownKey(payment);
    if (unknown === null) return expect(reason(signer.forge(payment))).toBe('bad_signature');
    expect(reason(unknown)).toBe('unknown_key');
  });

  it('rejects a retired key for requests received since, and only for those', () => {
    const retired = harness.provider(NOW);
    expect(reasonOf(verdict(retired, payment, new Date(NOW.getTime() - 1000)))).toBe('accepted');
    expect(reasonOf(verdict(retired, payment, NOW))).toBe('unknown_key');
  });

  it('names the signed text of a rightly signed rejection, in any order of its fields', () => {
    const turned = harness.reordered(payment);
    // API v3 names its key, which is looked up before the signature is verified.
    if (turned === null) return;
    const digests = [payment, turned].map((request) => {
      const rejected = verdict(harness.provider(NOW), request, NOW);
      return rejected.ok ? null : rejected.signedDigest;
    });
    expect(digests).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), digests[0]]);
  });

  it('rejects a time that is too old or too new, if the protocol has a window', () => {
    const after = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
    // Alipay and WeChat v2 send the same bytes again for a day.
    const span = harness.windowSeconds ?? 25 * 3600;
    for (const within of [-span + 1, span - 1])
      expect(reason(payment, after(within))).toBe('accepted');
    if (harness.windowSeconds === null) return;
    for (const beyond of [-span - 1, span + 1])
      expect(reason(payment, after(beyond))).toBe('stale');
  });
}

/** The same keys sign other messages. */
function refusesOtherMessages(harness: Harness, provider: PaymentProvider): void {
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it.each(harness.notNotifications)('rejects %s, although signed', (_, request) => {
    expect(reason(request)).toMatch(/^(not_a_notification|malformed|undecryptable)$/);
  });

  it.each(harness.brokenEncodings)('rejects broken encoding: %s', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });
}
