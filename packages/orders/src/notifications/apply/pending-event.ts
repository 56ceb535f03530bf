import type { HoldReason } from '../../database/hold-reason.js';
import type { ContentEffect } from '../contents/compare-contents.js';
import type { EventOutcome } from '../records/notification.js';
import type { PendingHeldEvent } from '../records/resolved-event.js';
import type { HeldEvent } from '../records/stored-event.js';

/**
 * An event whose equal was applied is a duplicate. A conflict of contents under one ID remains
 * until an equal content is found.
 * @param holdAs holds the event for this reason, whatever it says
 */
export function fixedOutcome(
  effect: ContentEffect,
  holdAs: HoldReason | null,
): EventOutcome | null {
  if (effect === 'duplicate') return { outcome: 'duplicate' };
  const reason = effect === 'id_conflict' ? effect : holdAs;
  return reason && { outcome: 'held', reason };
}

export function toPending(
  stored: HeldEvent,
  effect: ContentEffect,
  holdAs: HoldReason | null,
): PendingHeldEvent {
  const { notificationRowId, receivedAt, position, merchant, event } = stored;
  const fixed = fixedOutcome(effect, holdAs);
  return { notificationRowId, receivedAt, position, merchant, event, fixed, stored };
}
