import type { OrderStatement, PaymentEvent } from '@payonce/providers/event';
import type { Fact } from '@payonce/providers/fact';
import type { HoldReason } from '../../database/hold-reason.js';
import type { OrderTerms } from '../../orders/order.js';

/** What to do with an event, as far as it and the order's immutable terms decide. */
export type Decision =
  | { readonly decision: 'ignore' }
  | { readonly decision: 'hold'; readonly reason: HoldReason }
  /**
   * Unsigned: held as `unconfirmed`, unless signed notices have asserted every one of these facts.
   */
  | { readonly decision: 'confirm'; readonly facts: readonly Fact[] }
  | { readonly decision: 'apply'; readonly facts: readonly Fact[] };

/**
 * Pure. A conflict with other facts (a second payment, too large a refund) is never a reason to
 * hold. It becomes a fact and an attention flag.
 */
export function decideEvent(event: PaymentEvent, terms: OrderTerms | null): Decision {
  if (event.kind === 'nothing') return { decision: 'ignore' };
  if (event.kind === 'unsupported') return hold('unsupported_event');
  // Before any comparison with an order: the event is not about our money.
  if (!event.payeeMatches) return hold('merchant_mismatch');
  if (terms === null) return hold(event.signed ? 'unknown_order' : 'unconfirmed');
  if (event.currency !== terms.currency) return hold('currency_mismatch');
  if (assertedAmounts(event).some((amount) => amount !== terms.amount)) {
    return hold('amount_mismatch');
  }
  return { decision: event.signed ? 'apply' : 'confirm', facts: event.facts };
}

/** Whether an order's terms can matter; if not, no order needs to be locked. */
export function needsOrder(event: PaymentEvent): event is OrderStatement {
  return event.kind === 'order' && event.payeeMatches;
}

/**
 * Every amount that must equal the amount due: the provider's amount of the order, and each
 * payment's.
 */
function assertedAmounts(event: OrderStatement): readonly bigint[] {
  const paid = event.facts.flatMap((fact) => (fact.kind === 'paid' ? [fact.amount] : []));
  return event.amount === null ? paid : [event.amount, ...paid];
}

function hold(reason: HoldReason): Decision {
  return { decision: 'hold', reason };
}
