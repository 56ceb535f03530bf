import type { EndpointRow } from '../reads/endpoint-list.js';
import { html } from './html.js';
import { layout } from './layout.js';
import { reasonForm } from './parts/reason-form.js';
import type { View } from './view.js';

/** The page before an endpoint is disabled. @param fault the fault of the last form */
export function disableEndpointPage(view: View, row: EndpointRow, fault: string | null): string {
  const { t } = view;
  const title = t('endpoints.disable.title', { name: row.name });
  return layout(
    view,
    { title, under: '/endpoints' },
    html`<h1>${title}</h1>
<h2>${t('decide.willHappen')}</h2>
<p>${t('endpoints.disable.happens')}</p>
${reasonForm(view, {
  action: `/endpoints/${row.id}/disable`,
  submit: html`<button class="danger">${t('endpoints.disable.submit')}</button>`,
  cancel: '/endpoints',
  fault,
})}`,
  );
}
