import { type Html, html, NOTHING } from './html.js';

/**
 * The time zone of Alipay's and WeChat Pay's books; the footer of every page states it. China has
 * no summer time.
 */
const format = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  dateStyle: 'short',
  timeStyle: 'medium',
});

/** Beijing time, to the second; UTC in the markup. Empty for null. */
export function time(at: Date | string | null): Html {
  if (at === null) return NOTHING;
  const date = new Date(at);
  return html`<time class="number" datetime="${date.toISOString()}">${format.format(date)}</time>`;
}
