import type { EndpointRow } from '../reads/endpoint-list.js';
import { html } from './html.js';
import { layout } from './layout.js';
import type { PageContext } from './page-context.js';
import { reasonForm } from './parts/reason-form.js';

/** The page before an endpoint is disabled. @param fault the fault of the last form */
export function disableEndpointPage(
  context: PageContext,
  row: EndpointRow,
  fault: string | null,
): string {
  const { t } = context;
  const title = t('endpoints.disable.title', { name: row.name });
  return layout(
    context,
    { title, under: '/endpoints' },
    html`<h1>${title}</h1>
<h2>${t('decide.willHappen')}</h2>
<p>${t('endpoints.disable.happens')}</p>
${reasonForm(context, {
  action: `/endpoints/${row.id}/disable`,
  submit: html`<button class="danger">${t('endpoints.disable.submit')}</button>`,
  cancel: '/endpoints',
  fault,
})}`,
  );
}
