import { type Html, html, NOTHING } from './html.js';
import type { PageContext } from './page-context.js';

/**
 * Links to the next page, with the same filters, and back to the first. @param next null on the
 * last page
 */
export function pager({ t, address }: PageContext, next: string | null): Html {
  const { pathname, searchParams } = new URL(address, 'http://console');
  const isFirst = !searchParams.has('cursor');
  if (next === null && isFirst) return NOTHING;
  const linkTo = (cursor: string | null) => {
    const query = new URLSearchParams(searchParams);
    if (cursor === null) query.delete('cursor');
    else query.set('cursor', cursor);
    return query.size > 0 ? `${pathname}?${query}` : pathname;
  };
  return html`<nav class="pager" aria-label="${t('pager.label')}">
${isFirst ? NOTHING : html`<a class="button" href="${linkTo(null)}">${t('pager.first')}</a>`}
${next === null ? NOTHING : html`<a class="button" href="${linkTo(next)}">${t('pager.next')}</a>`}
</nav>`;
}
