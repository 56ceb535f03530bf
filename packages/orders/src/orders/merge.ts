import { type Fact, factKey } from '@payonce/providers/fact';

/**
 * Facts by key, each with the best knowledge: the earliest known time, the greatest amount. Merging
 * is commutative, associative and idempotent, so the order of arrival has no influence.
 * `upsertFacts` does the same in SQL.
 */
export function mergeFacts(facts: readonly Fact[]): Fact[] {
  const merged = new Map<string, Fact>();
  for (const fact of facts) {
    const key = factKey(fact);
    const known = merged.get(key);
    merged.set(key, known ? mergeFact(known, fact) : fact);
  }
  return [...merged.values()];
}

/** Merges two facts with one key. Returns the object `known` when `asserted` adds nothing. */
export function mergeFact(known: Fact, asserted: Fact): Fact {
  const at = isEarlier(asserted.at, known.at) ? asserted.at : known.at;
  const amount = isMore(amountOf(asserted), amountOf(known)) ? amountOf(asserted) : amountOf(known);
  const trade = isSmaller(asserted.trade, known.trade) ? asserted.trade : known.trade;
  if (at === known.at && amount === amountOf(known) && trade === known.trade) return known;
  return { ...known, at, trade, ...(amount !== null && { amount }) } as Fact;
}

/** Null for kinds without an amount. */
export function amountOf(fact: Fact): bigint | null {
  return 'amount' in fact ? fact.amount : null;
}

function isEarlier(a: Date | null, b: Date | null): boolean {
  return a !== null && (b === null || a < b);
}

function isMore(a: bigint | null, b: bigint | null): boolean {
  return a !== null && (b === null || a > b);
}

/**
 * Only a refund's key leaves the trade open; two trades under one refund number are a rail's
 * mistake.
 */
function isSmaller(a: string | null, b: string | null): boolean {
  return a !== null && (b === null || a < b);
}
