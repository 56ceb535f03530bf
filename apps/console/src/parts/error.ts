import type { PlainKey } from '../i18n/translate.js';
import { html } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';

const WORDS: Readonly<Record<number, PlainKey>> = {
  400: 'error.400',
  403: 'error.403',
  404: 'error.404',
  503: 'error.503',
};

/** For statuses that need an explanation. */
const BY_CODE: Readonly<Record<string, PlainKey>> = {
  all_merchants_needed: 'error.allMerchants',
};

/** Shows nothing internal, and a link back. */
export function errorPage(context: PageContext, status: number, code = ''): string {
  const { t } = context;
  const otherwise = status < 500 ? 'error.400' : 'error.500';
  return layout(
    context,
    { title: t('error.title', { status }) },
    html`<h1>${t('error.title', { status })}</h1>
<p>${t(BY_CODE[code] ?? WORDS[status] ?? otherwise)}</p>
<p><a href="/">${t('error.back')}</a></p>`,
  );
}
