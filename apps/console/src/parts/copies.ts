import type { Timeline } from '../schemas/timeline.js';
import { badge, wordFor } from './badge.js';
import { type Html, html } from './html.js';
import { notificationLink } from './links.js';
import type { PageContext } from './page-context.js';

/** "9 copies received, 1 applied": each notification in one line. */
export function copiesOf(context: PageContext, notifications: Timeline['notifications']): Html {
  const { t } = context;
  if (notifications.length === 0) return html`<p class="muted">${t('orders.noNotification')}</p>`;
  const lines = notifications.map(
    (one) => html`<li>${notificationLink(one.id)} ${wordFor(context, 'provider', one.provider)}:
<b>${counted(context, one)}</b> ${badge(context, 'outcome', one.status)}</li>`,
  );
  return html`<ul class="plain">${lines}</ul>`;
}

export function counted(
  { t }: PageContext,
  { received, applied }: { readonly received: number; readonly applied: number },
): string {
  return received === 1
    ? t('orders.copiesOne', { applied })
    : t('orders.copies', { received, applied });
}
