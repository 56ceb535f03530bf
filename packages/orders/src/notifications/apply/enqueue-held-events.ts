import type { PaymentEvent } from '@payonce/providers/event';
import type { HoldReason } from '../../database/hold-reason.js';
import type { Tx } from '../../database/transaction.js';
import { isChanged, type ResolvedEvent } from '../records/resolved-event.js';
import { holdReasonOf } from '../records/stored-event.js';

/**
 * Enqueues an order event for each event that is now held for a new reason. It tells the merchant's
 * system that a person has to decide. There is one per event and reason. Runs after the events are
 * stored, in the same transaction: one statement, or none when nothing is newly held.
 */
export async function enqueueHeldEvents(
  tx: Tx,
  now: Date,
  resolved: readonly ResolvedEvent[],
): Promise<void> {
  const held = resolved.filter(isChanged).flatMap((one) => {
    const reason = holdReasonOf(one.outcome);
    return reason === null ? [] : [{ ...one, reason }];
  });
  if (held.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO order_events (notification_event_id, merchant, type, milestone, payload, created_at)
    SELECT e.id, e.merchant, h.type, h.reason, h.content || jsonb_build_object(
        'merchant', e.merchant, 'notification', n.id::text, 'notificationId', n.notification_id,
        'provider', n.provider, 'channel', n.channel, 'position', e.position,
        'orderNumber', e.order_number, 'reason', h.reason), ${now}
    FROM unnest(
      ${held.map((one) => one.notificationRowId)}::bigint[],
      ${held.map((one) => one.position)}::int[], ${held.map((one) => one.reason)}::text[],
      ${held.map(({ reason }) => typeOf(reason))}::text[],
      ${held.map(({ event }) => contentOf(event))}::jsonb[]
    ) AS h (notification_row_id, position, reason, type, content)
    JOIN notification_events e USING (notification_row_id, position)
    JOIN notifications n ON n.id = e.notification_row_id
    ORDER BY e.id
    ON CONFLICT (notification_event_id, type, milestone) DO NOTHING`;
}

function typeOf(reason: HoldReason): 'notification.held' | 'notification.unsupported' {
  return reason === 'unsupported_event' ? 'notification.unsupported' : 'notification.held';
}

/**
 * The part of the payload that the event itself has: the money, and nothing about the payer. For an
 * unsupported event, `says` is the provider's own type.
 */
function contentOf(event: PaymentEvent): string {
  const nothing = { amount: null, currency: null, trade: null, says: null };
  switch (event.kind) {
    case 'order':
      return JSON.stringify({
        ...nothing,
        amount: event.amount?.toString() ?? null,
        currency: jsonText(event.currency),
        trade: jsonText(event.trade),
      });
    case 'nothing':
    case 'unsupported':
      return JSON.stringify({ ...nothing, says: jsonText(event.says) });
  }
}

/** `jsonb` takes neither NUL nor half a surrogate pair. A text with either becomes null. */
function jsonText(text: string | null): string | null {
  return text === null || text.includes('\0') || !text.isWellFormed() ? null : text;
}
