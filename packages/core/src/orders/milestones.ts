import type { OrderState } from './order.js';

/** What a merchant's system is told of an order; at most once per type and milestone. */
export interface Milestone {
  readonly type: OrderEventType;
  /** `paid`, `closed`, the refunded total in minor units, or the attention flag. */
  readonly milestone: string;
}

export type OrderEventType =
  | 'order.paid'
  | 'order.partially_refunded'
  | 'order.refunded'
  | 'order.closed'
  | 'order.attention';

/** Every milestone crossed between two states: an order seen refunded at once was paid, too. */
export function milestonesBetween(before: OrderState, after: OrderState): Milestone[] {
  const milestones: Milestone[] = [];
  if (before.primary === null && after.primary !== null) {
    milestones.push({ type: 'order.paid', milestone: 'paid' });
  }
  if (after.refundedAmount > 0n && after.refundedAmount !== before.refundedAmount) {
    const type = after.status === 'refunded' ? 'order.refunded' : 'order.partially_refunded';
    milestones.push({ type, milestone: after.refundedAmount.toString() });
  }
  if (before.status !== 'closed' && after.status === 'closed') {
    milestones.push({ type: 'order.closed', milestone: 'closed' });
  }
  for (const flag of after.attention) {
    if (!before.attention.includes(flag)) {
      milestones.push({ type: 'order.attention', milestone: flag });
    }
  }
  return milestones;
}
