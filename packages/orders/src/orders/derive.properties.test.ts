import type { Fact } from '@payonce/providers/fact';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveOrder } from './derive.js';
import { mergeFacts } from './merge.js';

const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n));
const trade = fc.constantFrom('T1', 'T2', 'T3');
const rail = fc.constantFrom('alipay' as const, 'wechat' as const);
const amount = fc.bigInt({ min: 0n, max: 500n });
const at = fc.option(
  fc.integer({ min: 0, max: 5 }).map((n) => minute(n)),
  { nil: null },
);

/** Any fact, including contradictions: few values, so that keys and times collide. */
const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({ kind: fc.constant('paid' as const), rail, trade, amount, at }),
  fc.record({
    kind: fc.constant('refund' as const),
    rail: fc.constant('wechat' as const),
    trade,
    refundId: fc.constantFrom('R1', 'R2'),
    status: fc.constantFrom('SUCCESS' as const, 'CLOSED' as const, 'ABNORMAL' as const),
    amount,
    at,
  }),
  fc.record({
    kind: fc.constant('refund_total' as const),
    rail: fc.constant('alipay' as const),
    trade,
    amount,
    at,
  }),
  fc.record({ kind: fc.constant('finished' as const), rail, trade, at }),
  fc.record({ kind: fc.constant('closed' as const), by: rail, trade: fc.option(trade), at }),
  fc.record({
    kind: fc.constant('closed' as const),
    by: fc.constant('merchant' as const),
    trade: fc.constant(null),
    at,
  }),
  fc.record({
    kind: fc.constant('operator' as const),
    auditId: fc.constantFrom('1', '2'),
    rail: fc.constant('alipay' as const),
    trade,
    amount,
    at,
  }),
  fc.record({ kind: fc.constant('contested' as const), rail, trade, at: fc.constant(null) }),
  fc.record({
    kind: fc.constant('released' as const),
    auditId: fc.constantFrom('3', '4', '5'),
    rail,
    trade,
    at,
  }),
  fc.record({
    kind: fc.constant('reinstated' as const),
    auditId: fc.constantFrom('6', '7'),
    releaseAuditId: fc.constantFrom('3', '4', '5'),
    rail,
    trade,
    at,
  }),
);

/** A history, and the same with its facts in any order, each repeated any number of times. */
const repetition = fc.array(anyFact, { maxLength: 12 }).chain((history) =>
  fc
    .array(fc.nat({ max: Math.max(history.length - 1, 0) }), { maxLength: 12 })
    .map((again) => [...history, ...again.flatMap((index) => history[index] ?? [])])
    .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
    .map((repeated) => ({ history, repeated })),
);

describe('whatever the order and the repetition of the facts', () => {
  test('the order is the same', () => {
    fc.assert(
      fc.property(repetition, ({ history, repeated }) => {
        expect(deriveOrder(repeated)).toEqual(deriveOrder(history));
      }),
      { numRuns: 2_000 },
    );
  });

  test('and the same when they come in parts, each part merged into the stored facts', () => {
    fc.assert(
      fc.property(repetition, fc.nat({ max: 24 }), ({ history, repeated }, cut) => {
        const kept = mergeFacts(repeated.slice(0, cut));
        expect(deriveOrder(mergeFacts([...kept, ...repeated.slice(cut)]))).toEqual(
          deriveOrder(history),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('money is never negative, and only a release makes a paid order unpaid', () => {
    fc.assert(
      fc.property(fc.array(anyFact), anyFact, (history, more) => {
        const before = deriveOrder(history);
        const after = deriveOrder([...history, more]);
        expect(after.paidAmount >= 0n && after.refundedAmount >= 0n).toBe(true);
        const isReleased = [...history, more].some(({ kind }) => kind === 'released');
        if (before.primary !== null && !isReleased) {
          expect(after.primary).not.toBeNull();
        }
        expect((after.primary === null) === ['pending', 'closed'].includes(after.status)).toBe(
          true,
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test('no fact about a released trade changes the order', () => {
    const name = fc.record({ rail, trade });
    fc.assert(
      fc.property(fc.array(anyFact), anyFact, name, (history, more, { rail, trade }) => {
        const release: Fact = { kind: 'released', auditId: '9', rail, trade, at: null };
        const isOfIt =
          more.trade === trade && (more.kind === 'closed' ? more.by : more.rail) === rail;
        // A refund's number or an audit row of two trades: a mistake, which the smaller trade gets.
        const isShared = more.kind === 'refund' || more.kind === 'operator';
        if (!isOfIt || isShared || more.kind === 'reinstated') return;
        expect(deriveOrder([...history, release, more])).toEqual(
          deriveOrder([...history, release]),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('a release that is revoked leaves the order as before', () => {
    fc.assert(
      fc.property(repetition, rail, trade, ({ history, repeated }, rail, trade) => {
        const release: Fact = { kind: 'released', auditId: '9', rail, trade, at: null };
        const back: Fact = { ...release, kind: 'reinstated', auditId: '10', releaseAuditId: '9' };
        expect(deriveOrder([back, ...repeated, release])).toEqual(deriveOrder(history));
      }),
      { numRuns: 1_000 },
    );
  });
});
