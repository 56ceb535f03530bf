import type { OperatorOutcome } from '@payonce/orders/notifications/held/operator';
import { sha256Hex } from '@payonce/providers/crypto';
import { z } from 'zod';

const RESULTS = [
  'applied',
  'duplicate',
  'ignored',
  'held',
  'refused',
  'other_amount',
  'not_held',
  'unknown_event',
] as const;

/** The result for one event. */
const resultView = z.object({
  /**
   * `refused`: the action has no meaning for it; `other_amount`: it states another sum than is due.
   */
  result: z.enum(RESULTS),
  /** Why it stays held, or why it was refused. */
  reason: z.string().nullable(),
  /** Whether anything changes. */
  changes: z.boolean(),
});
export type ItemResult = z.infer<typeof resultView>;

const itemView = resultView.extend({
  notification: z.string(),
  position: z.number().int(),
  orderNumber: z.string().nullable(),
  /** The reason for which it is held before. */
  holdReason: z.string(),
});
export type PlannedItem = z.infer<typeof itemView>;

const summaryView = z.object({
  /** The events planned; `more`: more events match, beyond `max`. */
  events: z.number().int(),
  more: z.boolean(),
  /** "212 would change nothing, 3 would be applied." */
  unchanged: z.number().int(),
  applied: z.number().int(),
  duplicate: z.number().int(),
  ignored: z.number().int(),
  /** Still held, but for another reason. */
  heldOtherwise: z.number().int(),
});

export const planView = z.object({
  /** Pass it when executing the plan. */
  plan: z.string(),
  summary: summaryView,
  items: z.array(itemView),
});

export const executionView = z.object({
  summary: summaryView,
  /** Events without a change were left out. */
  items: z.array(itemView),
});

export function resultOf(outcome: OperatorOutcome, holdReason: string): ItemResult {
  switch (outcome.result) {
    case 'done': {
      const reason = outcome.outcome === 'held' ? outcome.reason : null;
      return { result: outcome.outcome, reason, changes: reason !== holdReason };
    }
    case 'refused':
      return { result: 'refused', reason: outcome.why, changes: false };
    case 'other_amount':
    case 'not_held':
    case 'unknown_event':
      return { result: outcome.result, reason: null, changes: false };
  }
}

export function summaryOf(
  items: readonly PlannedItem[],
  more: boolean,
): z.infer<typeof summaryView> {
  const count = (result: ItemResult['result']) =>
    items.filter((one) => one.changes && one.result === result).length;
  return {
    events: items.length,
    more,
    unchanged: items.filter((one) => !one.changes).length,
    applied: count('applied'),
    duplicate: count('duplicate'),
    ignored: count('ignored'),
    heldOtherwise: count('held'),
  };
}

/** Equal events with equal results have an equal digest; any difference makes another plan. */
export function digestOf(action: string, items: readonly PlannedItem[], more: boolean): string {
  return sha256Hex(JSON.stringify([action, more, items]));
}
