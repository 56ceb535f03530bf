import type { OperatorOutcome } from '@payonce/core/notifications/operator';
import { sha256Hex } from '@payonce/core/providers/crypto';
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

/** What comes of one event. */
const resultView = z.object({
  /** `refused`: the action has no meaning for it; `other_amount`: it says another sum than is due. */
  result: z.enum(RESULTS),
  /** Why it is held on, or why it was refused. */
  reason: z.string().nullable(),
  /** Whether anything is other than before. */
  changes: z.boolean(),
});
export type ItemResult = z.infer<typeof resultView>;

const itemView = resultView.extend({
  notification: z.string(),
  position: z.number().int(),
  orderNumber: z.string().nullable(),
  /** What it is held for before. */
  holdReason: z.string(),
});
export type PlannedItem = z.infer<typeof itemView>;

const summaryView = z.object({
  /** Events looked at; `more`: others match as well, beyond `max`. */
  events: z.number().int(),
  more: z.boolean(),
  /** "212 would change nothing, 3 would be applied." */
  unchanged: z.number().int(),
  applied: z.number().int(),
  duplicate: z.number().int(),
  ignored: z.number().int(),
  /** Held on, for another reason than before. */
  heldOtherwise: z.number().int(),
});

export const planView = z.object({
  /** To be named when it is executed. */
  plan: z.string(),
  summary: summaryView,
  items: z.array(itemView),
});

export const executionView = z.object({
  summary: summaryView,
  /** What would have changed nothing was left alone. */
  items: z.array(itemView),
});

export function resultOf(outcome: OperatorOutcome, holdReason: string): ItemResult {
  switch (outcome.result) {
    case 'done': {
      const reason = outcome.outcome.outcome === 'held' ? outcome.outcome.reason : null;
      return { result: outcome.outcome.outcome, reason, changes: reason !== holdReason };
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

/** The same events with the same prospects have the same one; anything else is another plan. */
export function digestOf(action: string, items: readonly PlannedItem[], more: boolean): string {
  return sha256Hex(JSON.stringify([action, more, items]));
}
