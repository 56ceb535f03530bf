import type { Timeline } from '../../api/timeline-views.js';
import { type Html, html } from '../html.js';
import type { View } from '../view.js';
import { badge, wordFor } from './badge.js';
import { notificationLink } from './links.js';

/** "9 copies received, 1 applied": each notification in one line. */
export function copiesOf(view: View, notifications: Timeline['notifications']): Html {
  const { t } = view;
  if (notifications.length === 0) return html`<p class="muted">${t('orders.noNotification')}</p>`;
  const lines = notifications.map(
    (one) => html`<li>${notificationLink(one.id)} ${wordFor(view, 'provider', one.provider)}:
<b>${counted(view, one)}</b> ${badge(view, 'outcome', one.status)}</li>`,
  );
  return html`<ul class="plain">${lines}</ul>`;
}

export function counted(
  { t }: View,
  { received, applied }: { readonly received: number; readonly applied: number },
): string {
  return received === 1
    ? t('orders.copiesOne', { applied })
    : t('orders.copies', { received, applied });
}
