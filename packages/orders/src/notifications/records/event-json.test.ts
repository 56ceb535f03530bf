import type { PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventFromJson, eventToJson } from './event-json.js';

const text = fc.string({ unit: 'binary' });
const amount = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const at = fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }));
const rail = fc.constantFrom('alipay' as const, 'wechat' as const);
const kind = <K extends string>(name: K) => fc.constant(name);

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({ kind: kind('paid'), rail, trade: text, amount, at }),
  fc.record({
    kind: kind('refund'),
    rail: kind('wechat'),
    trade: text,
    refundId: text,
    status: fc.constantFrom('SUCCESS' as const, 'CLOSED' as const, 'ABNORMAL' as const),
    amount,
    at,
  }),
  fc.record({ kind: kind('refund_total'), rail: kind('alipay'), trade: text, amount, at }),
  fc.record({ kind: kind('finished'), rail, trade: text, at }),
  fc.record({ kind: kind('closed'), by: rail, trade: fc.option(text), at }),
  fc.record({ kind: kind('operator'), auditId: text, rail, trade: text, amount, at }),
);

const event: fc.Arbitrary<PaymentEvent> = fc.oneof(
  fc.record({
    kind: kind('order'),
    rail,
    orderNumber: text,
    trade: fc.option(text),
    amount: fc.option(amount),
    currency: text,
    payeeMatches: fc.boolean(),
    signed: fc.boolean(),
    facts: fc.array(fact),
  }),
  fc.record({ kind: kind('nothing'), orderNumber: fc.option(text), says: text }),
  fc.record({ kind: kind('unsupported'), orderNumber: fc.option(text), says: text }),
);

test('a stored event is read back as it was, to the last fen and millisecond', () => {
  fc.assert(
    fc.property(event, (one) => {
      expect(eventFromJson(JSON.parse(eventToJson(one)))).toEqual(one);
    }),
    { numRuns: 1_000 },
  );
});

test('an event of another release is one that this release does not understand', () => {
  for (const json of [null, 'text', {}, { kind: 'order' }, { kind: 'new', orderNumber: 'A' }]) {
    expect(eventFromJson(json)).toEqual({
      kind: 'unsupported',
      orderNumber: null,
      says: 'unreadable',
    });
  }
});
