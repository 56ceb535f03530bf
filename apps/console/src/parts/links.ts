import { type Html, html } from './html.js';

export function orderPath(merchant: string, number: string): string {
  return `/orders/${encodeURIComponent(merchant)}/${encodeURIComponent(number)}`;
}

export function orderLink(merchant: string, number: string): Html {
  return html`<a class="mono" href="${orderPath(merchant, number)}">${number}</a>`;
}

export function notificationLink(id: bigint | string): Html {
  return html`<a href="/notifications/${id}">#${id}</a>`;
}
