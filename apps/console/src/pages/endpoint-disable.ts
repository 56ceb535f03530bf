import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { disableEndpoint } from '@payonce/orders/endpoints/switch';
import { z } from 'zod';
import { nothingHere } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { html } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { reasonForm } from '../parts/reason-form.js';
import { reasonIn } from '../plugins/forms.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { type EndpointRow, findEndpoint } from '../reads/endpoints.js';
import { rowId } from '../schemas/fields.js';
import { commandOf, setFlash } from './endpoints.js';

const PATH = '/endpoints/:id/disable';
const merchants = { row: 'endpoint', unknown: nothingHere } as const;
const route = {
  config: { access: 'session', role: 'operate', merchants },
  schema: { params: z.object({ id: rowId }) },
} as const;

export async function endpointDisableRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  app.get(PATH, route, async (request, reply) => {
    const row = await findEndpoint(deps.prisma, request.params.id, 'read');
    if (row === null) return sendRefusal(request, reply, nothingHere);
    return sendPage(reply, disableEndpointPage(contextOf(request), row, null));
  });

  app.post(PATH, route, async (request, reply) => {
    const row = await findEndpoint(deps.prisma, request.params.id, 'read');
    if (row === null) return sendRefusal(request, reply, nothingHere);
    const reason = reasonIn(request);
    if (reason === null) {
      const context = contextOf(request);
      const page = disableEndpointPage(context, row, context.t('decide.reasonMissing'));
      return sendPage(reply.code(400), page);
    }
    const { result } = await disableEndpoint(deps, commandOf(request, row.id, reason));
    setFlash(request, result, 'switched.disabled');
    return reply.redirect('/endpoints', 303);
  });
}

/** The page before an endpoint is disabled. @param fault the fault of the last form */
function disableEndpointPage(context: PageContext, row: EndpointRow, fault: string | null): string {
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
