import type { PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import type { HoldReason } from '../../database/hold-reason.js';
import type { OrderTerms } from '../../orders/order.js';

/** Holds that a person can overrule: the event is complete, and somebody has to vouch for it. */
export const ACCEPTABLE_REASONS = [
  'amount_mismatch',
  'merchant_mismatch',
  'id_conflict',
  'unconfirmed',
] as const satisfies readonly HoldReason[];

/** Why accepting has no effect. `nothing_said`: the event asserts nothing about an order. */
export type Unacceptable =
  | Exclude<HoldReason, (typeof ACCEPTABLE_REASONS)[number]>
  | 'nothing_said';

export type Acceptance =
  | { readonly acceptable: true; readonly facts: readonly Fact[] }
  | { readonly acceptable: false; readonly why: Unacceptable };

/**
 * Whether an operator may accept a held event, and the facts that it then asserts. Pure. The
 * operator overrules the amount, the payee, the missing signature and the known ID. An operator
 * never overrules a missing order, another currency (amounts of two currencies cannot be added) or
 * an unreadable event.
 */
export function acceptEvent(
  event: PaymentEvent,
  terms: OrderTerms | null,
  reason: HoldReason,
): Acceptance {
  if (!isAcceptable(reason)) return { acceptable: false, why: reason };
  if (event.kind === 'nothing') return { acceptable: false, why: 'nothing_said' };
  if (event.kind === 'unsupported') return { acceptable: false, why: 'unsupported_event' };
  if (terms === null) return { acceptable: false, why: 'unknown_order' };
  if (event.currency !== terms.currency) return { acceptable: false, why: 'currency_mismatch' };
  return { acceptable: true, facts: event.facts };
}

/**
 * The facts to store. A payment becomes the operator's fact, with trade, amount and audit row.
 * It is left out when the trade is already known to have paid as much. All other facts are the
 * provider's.
 */
export function acceptedFacts(
  asserted: readonly Fact[],
  known: readonly Fact[],
  auditId: string,
): readonly Fact[] {
  return asserted.flatMap((fact): Fact[] => {
    if (fact.kind !== 'paid') return [fact];
    const isPaid = known.some(
      (one) =>
        (one.kind === 'paid' || one.kind === 'operator') &&
        one.rail === fact.rail &&
        one.trade === fact.trade &&
        one.amount >= fact.amount,
    );
    if (isPaid) return [];
    const { rail, trade, amount, at } = fact;
    return [{ kind: 'operator', auditId, rail, trade, amount, at }];
  });
}

function isAcceptable(reason: HoldReason): reason is (typeof ACCEPTABLE_REASONS)[number] {
  return ACCEPTABLE_REASONS.some((one) => one === reason);
}
