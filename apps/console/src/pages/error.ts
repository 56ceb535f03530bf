import type { PlainKey } from '../i18n/translate.js';
import { html } from './html.js';
import { layout } from './layout.js';
import type { View } from './view.js';

const WORDS: Readonly<Record<number, PlainKey>> = {
  400: 'error.400',
  403: 'error.403',
  404: 'error.404',
  503: 'error.503',
};

/** Nothing of the inside, and a way back. */
export function errorPage(view: View, status: number): string {
  const { t } = view;
  return layout(
    view,
    { title: t('error.title', { status }) },
    html`<h1>${t('error.title', { status })}</h1>
<p>${t(WORDS[status] ?? (status < 500 ? 'error.400' : 'error.500'))}</p>
<p><a href="/">${t('error.back')}</a></p>`,
  );
}
