import { type Html, html, NOTHING } from '../html.js';

/** Where Alipay and WeChat Pay keep their books; the footer of every page says so. China has no summer time. */
const format = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  dateStyle: 'short',
  timeStyle: 'medium',
});

/** Beijing time, to the second; UTC in the markup. Nothing for null. */
export function time(at: Date | string | null): Html {
  if (at === null) return NOTHING;
  const date = new Date(at);
  return html`<time class="number" datetime="${date.toISOString()}">${format.format(date)}</time>`;
}
