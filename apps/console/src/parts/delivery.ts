import type { DeliveryRow } from '../reads/deliveries.js';
import { badge, wordFor } from './badge.js';
import { type Html, html, NOTHING } from './html.js';
import { notificationLink, orderLink } from './links.js';
import type { PageContext } from './page-context.js';
import { postButton } from './post-button.js';

/** The order, or the held notification. */
export function aboutOf({ order, notificationEvent }: DeliveryRow['orderEvent']): Html {
  if (order !== null) return orderLink(order.merchant, order.number);
  return notificationEvent === null
    ? html`–`
    : notificationLink(notificationEvent.notificationRowId);
}

export function deliveryState(
  context: PageContext,
  row: Pick<DeliveryRow, 'state' | 'parkedReason'>,
): Html {
  const why = row.parkedReason;
  return html`${badge(context, 'delivery', row.state)}
${why === null ? NOTHING : html`<div class="hint">${wordFor(context, 'parked', why)}</div>`}`;
}

/** Nothing is sent to a disabled endpoint. */
export function redeliverButton(context: PageContext, { id, endpoint }: DeliveryRow): Html {
  if (endpoint.disabledAt !== null) return NOTHING;
  return postButton(context, `/deliveries/${id}/redeliver`, context.t('deliveries.redeliver'));
}
