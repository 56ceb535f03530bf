import type { Fact } from '../orders/fact.js';
import type { OrderTerms } from '../orders/order.js';
import type { OrderStatement, PaymentEvent } from '../providers/event.js';
import type { HoldReason } from './notification.js';

/** What is to be done with an event, as far as it and the order's immutable terms decide. */
export type Decision =
  | { readonly decision: 'ignore' }
  | { readonly decision: 'hold'; readonly reason: HoldReason }
  /** Unsigned: held as `unconfirmed`, unless every one of these facts is known from signed notices. */
  | { readonly decision: 'confirm'; readonly facts: readonly Fact[] }
  | { readonly decision: 'apply'; readonly facts: readonly Fact[] };

/**
 * Pure. What depends on other facts (a second payment, a refund of too much) is never a reason to hold:
 * it becomes a fact, and an attention flag.
 */
export function decideEvent(event: PaymentEvent, terms: OrderTerms | null): Decision {
  if (event.kind === 'nothing') return { decision: 'ignore' };
  if (event.kind === 'unsupported') return hold('unsupported_event');
  // Before anything is compared with an order: it is not about our money at all.
  if (!event.payeeMatches) return hold('merchant_mismatch');
  if (terms === null) return hold(event.signed ? 'unknown_order' : 'unconfirmed');
  if (event.currency !== terms.currency) return hold('currency_mismatch');
  if (statedAmounts(event).some((amount) => amount !== terms.amount)) {
    return hold('amount_mismatch');
  }
  return { decision: event.signed ? 'apply' : 'confirm', facts: event.facts };
}

/** Whether an order's terms can matter at all; if not, none needs to be locked. */
export function needsOrder(event: PaymentEvent): event is OrderStatement {
  return event.kind === 'order' && event.payeeMatches;
}

/** Every amount that must be the amount due: the order's as the provider tells it, and each payment's. */
function statedAmounts(event: OrderStatement): readonly bigint[] {
  const paid = event.facts.flatMap((fact) => (fact.kind === 'paid' ? [fact.amount] : []));
  return event.amount === null ? paid : [event.amount, ...paid];
}

function hold(reason: HoldReason): Decision {
  return { decision: 'hold', reason };
}
