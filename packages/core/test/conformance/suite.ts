import type { PaymentProvider, Verification } from '@payonce/core/providers/provider';
import type { SignedRequest } from '@payonce/testkit/request';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Harness, NOW, PAYMENT, REFUND, received, withBody } from './harness.js';

/** What every provider must guarantee, whatever its protocol. */
export function describeConformance(title: string, makeHarness: () => Harness): void {
  describe(title, () => {
    const harness = makeHarness();
    const provider = harness.provider();
    accepts(harness, provider);
    identifies(harness, provider);
    refuses(harness, provider);
    survives(harness, provider);
    configures(harness);
    replies(harness);
  });
}

const verdict = (provider: PaymentProvider, request: SignedRequest, at = NOW) =>
  provider.verify(received(request, at));

const reasonOf = (verification: Verification) =>
  verification.ok ? 'accepted' : verification.reason;

function accepted(provider: PaymentProvider, request: SignedRequest, at = NOW) {
  const verification = verdict(provider, request, at);
  if (!verification.ok) throw new Error(`refused as ${verification.reason}`);
  return verification;
}

/** All that later steps build on. */
function said(provider: PaymentProvider, request: SignedRequest) {
  const { request: verified, notificationId, digest, authenticity } = accepted(provider, request);
  return { notificationId, digest, authenticity, events: provider.decode(verified) };
}

function accepts(harness: Harness, provider: PaymentProvider): void {
  const { signer, rail } = harness;

  it('accepts a genuine payment, and says who paid what for which order', () => {
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

  it('accepts a genuine refund, and says that the trade was paid and how much went back', () => {
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

  it('accepts fields in another order, where order carries no meaning', () => {
    const payment = signer.payment(PAYMENT);
    const reordered = harness.reordered(payment);
    if (reordered === null) return expect(harness.reserialised(payment)).not.toBeNull();
    expect(reordered.body.equals(payment.body)).toBe(false);
    expect(said(provider, reordered)).toEqual(said(provider, payment));
  });
}

function identifies(harness: Harness, provider: PaymentProvider): void {
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

  it('other content under the same ID has another digest', () => {
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

  it('ID and digest fit the database: up to 128 visible characters, 64 hex digits', () => {
    const { notificationId, digest } = said(provider, signer.payment(PAYMENT));
    expect(notificationId).toMatch(/^[\x20-\x7e]{1,128}$/);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
}

function refuses(harness: Harness, provider: PaymentProvider): void {
  const { signer } = harness;
  const payment = signer.payment(PAYMENT);
  const reason = (request: SignedRequest, at = NOW) => reasonOf(verdict(provider, request, at));

  it.each(harness.withoutEach(payment))('refuses a payment without %s', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });

  it.each(harness.withDoubled(payment))('refuses a payment with %s doubled', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });

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
  ])('refuses a signature that is %s', (_, change) => {
    expect(reason(harness.withSignature(payment, (signature) => signature))).toBe('accepted');
    expect(reason(harness.withSignature(payment, change))).toMatch(/^(bad_signature|malformed)$/);
  });

  it('refuses a foreign signature, and content changed on the way', () => {
    for (const genuine of [payment, signer.refund(REFUND)]) {
      expect(reason(signer.forge(genuine, 'foreign_key'))).toMatch(
        /^(bad_signature|undecryptable)$/,
      );
      expect(reason(signer.forge(genuine, 'changed_content'))).not.toBe('accepted');
    }
  });

  it('refuses a flipped bit anywhere in the body, or it meant nothing', () => {
    const genuine = said(provider, payment);
    let refused = 0;
    for (let index = 0; index < payment.body.length; index++) {
      const body = Buffer.from(payment.body);
      body.writeUInt8(body.readUInt8(index) ^ (1 << (index % 8)), index);
      if (reason({ ...payment, body }) === 'accepted') {
        expect(said(provider, { ...payment, body })).toEqual(genuine);
      } else refused++;
    }
    // Hex digits of escapes and white space between elements may change their case or kind.
    expect(refused).toBeGreaterThan(payment.body.length * 0.8);
  });

  it('refuses a key that it does not know', () => {
    const unknown = harness.unknownKey(payment);
    if (unknown === null) return expect(reason(signer.forge(payment))).toBe('bad_signature');
    expect(reason(unknown)).toBe('unknown_key');
  });

  it('refuses a retired key for what it received since, and only for that', () => {
    const retired = harness.provider(NOW);
    expect(reasonOf(verdict(retired, payment, new Date(NOW.getTime() - 1000)))).toBe('accepted');
    expect(reasonOf(verdict(retired, payment, NOW))).toBe('unknown_key');
  });

  it('refuses a time too old or too new, where the protocol has a window', () => {
    const after = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
    // Alipay and WeChat v2 send the same bytes again for a day.
    const span = harness.windowSeconds ?? 25 * 3600;
    for (const within of [-span + 1, span - 1])
      expect(reason(payment, after(within))).toBe('accepted');
    if (harness.windowSeconds === null) return;
    for (const beyond of [-span - 1, span + 1])
      expect(reason(payment, after(beyond))).toBe('stale');
  });

  it.each(harness.notNotifications)('refuses %s, although signed', (_, request) => {
    expect(reason(request)).toMatch(/^(not_a_notification|malformed|undecryptable)$/);
  });

  it.each(harness.brokenEncodings)('refuses broken encoding: %s', (_, request) => {
    expect(reason(request)).not.toBe('accepted');
  });

  it('refuses the same content written in other bytes, where the bytes are signed', () => {
    const other = harness.reserialised(payment);
    if (other === null) return expect(harness.reordered(payment)).not.toBeNull();
    expect(reason(other)).toBe('bad_signature');
  });

  it('refuses an empty body and a huge one', () => {
    expect(reason(withBody(payment, ''))).not.toBe('accepted');
    expect(reason({ ...payment, body: Buffer.alloc(2 ** 20, 'a=1&') })).not.toBe('accepted');
    const padded = Buffer.concat([payment.body, Buffer.alloc(2 ** 20, ' ')]);
    expect(reason({ ...payment, body: padded })).not.toBe('accepted');
  });
}

function survives(harness: Harness, provider: PaymentProvider): void {
  const payment = harness.signer.payment(PAYMENT);
  const bytes = fc.uint8Array({ maxLength: 512 }).map((array) => Buffer.from(array));

  it('never throws on arbitrary bytes, and accepts none', () => {
    const headers = fc.dictionary(
      fc.constantFrom('content-type', ...provider.signatureHeaders),
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

  it('never throws on a genuine request with bytes cut out or put in, nor takes it for another', () => {
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

  it('never throws while decoding what it accepted, and always says something', () => {
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

function configures(harness: Harness): void {
  it('names an unreadable key, and never its content', () => {
    const settings = harness.definition.settings.parse(harness.settings);
    const create = () => harness.definition.create(settings, () => 'hunter2');
    expect(create).toThrow(/KEY/);
    expect(create).not.toThrow(/hunter2/);
  });

  it('lists its keys for the alarm before they expire', () => {
    const retiredAt = new Date('2026-11-01T00:00:00Z');
    const { keys } = harness.provider(retiredAt);
    expect(keys).toContainEqual(expect.objectContaining({ retiredAt, expiresAt: null }));
  });

  it('refuses settings that it does not know', () => {
    const { settings } = harness.definition;
    expect(settings.safeParse(harness.settings).success).toBe(true);
    expect(settings.safeParse({ ...Object(harness.settings), typo: 1 }).success).toBe(false);
    expect(settings.safeParse({}).success).toBe(false);
  });
}

function replies(harness: Harness): void {
  const { reply } = harness.definition;
  const failure = (status: number) => ({ status, ...harness.replies.failure });

  it('acknowledges in exactly the provider’s bytes', () => {
    expect(reply({ outcome: 'accepted' })).toEqual(harness.replies.accepted);
  });

  it('gives every refusal the same bytes, so a prober learns nothing but the status', () => {
    const unauthentic = [
      'bad_signature',
      'signature_probe',
      'unknown_key',
      'stale',
      'undecryptable',
    ] as const;
    for (const reason of unauthentic)
      expect(reply({ outcome: 'rejected', reason })).toEqual(failure(401));
    for (const reason of ['malformed', 'not_a_notification'] as const) {
      expect(reply({ outcome: 'rejected', reason })).toEqual(failure(400));
    }
    expect(reply({ outcome: 'unknown_channel' })).toEqual(failure(404));
    expect(reply({ outcome: 'unavailable' })).toEqual(failure(503));
    for (const status of [405, 413, 415] as const) {
      expect(reply({ outcome: 'refused', status })).toEqual(failure(status));
    }
  });
}
