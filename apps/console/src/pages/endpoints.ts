import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { redeliverParked } from '@payonce/orders/deliveries/redeliver-many';
import { enableEndpoint } from '@payonce/orders/endpoints/switch';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { nothingHere } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import {
  canOperate,
  contextOf,
  type PageContext,
  sendPage,
  sessionOf,
} from '../parts/page-context.js';
import { postButton } from '../parts/post-button.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { merchantsOf } from '../plugins/merchants.js';
import { type EndpointRow, readEndpointsByName } from '../reads/endpoints.js';
import { rowId } from '../schemas/fields.js';

const params = z.object({ id: rowId });
const merchants = { row: 'endpoint', unknown: nothingHere } as const;
const config = { access: 'session', role: 'operate', merchants } as const;

export async function endpointsPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  app.get('/endpoints', { config: { merchants: 'listed' } }, async (request, reply) => {
    const rows = await readEndpointsByName(deps.prisma, merchantsOf(request));
    return sendPage(reply, endpointsPage(contextOf(request), rows, deps.clock()));
  });

  app.post('/endpoints/:id/enable', { config, schema: { params } }, async (request, reply) => {
    const { result } = await enableEndpoint(deps, commandOf(request, request.params.id, null));
    setFlash(request, result, 'switched.enabled');
    return reply.redirect('/endpoints', 303);
  });

  app.post(
    '/endpoints/:id/redeliver-parked',
    { config, schema: { params } },
    async (request, reply) => {
      const outcome = await redeliverParked(deps, commandOf(request, request.params.id, null));
      if (outcome.result === 'done') {
        const text = contextOf(request).t('switched.redelivered', { n: outcome.deliveries });
        sessionOf(request).flash = { good: true, text };
      } else setFlash(request, outcome.result, 'switched.enabled');
      return reply.redirect('/endpoints', 303);
    },
  );
}

export function commandOf(request: FastifyRequest, endpoint: bigint, reason: string | null) {
  return { actor: sessionOf(request).user, reason, endpoint };
}

/** The result, shown on the next page. */
export function setFlash(
  request: FastifyRequest,
  result: 'done' | 'unknown_endpoint' | 'managed_by_file' | 'endpoint_disabled',
  done: 'switched.enabled' | 'switched.disabled',
): void {
  const { t } = contextOf(request);
  const text = result === 'done' ? t(done) : t(`switched.${result}`);
  sessionOf(request).flash = { good: result === 'done', text };
}

/** The endpoints of merchants' systems, with their state. */
function endpointsPage(context: PageContext, rows: readonly EndpointRow[], now: Date): string {
  const { t } = context;
  return layout(
    context,
    { title: t('nav.endpoints'), under: '/endpoints' },
    html`<h1>${t('nav.endpoints')}</h1>
<p class="muted">${t('endpoints.intro')}</p>
${table({ caption: t('nav.endpoints'), empty: html`${t('endpoints.none')}` }, columns(context, now), rows)}`,
  );
}

function columns(context: PageContext, now: Date): Column<EndpointRow>[] {
  const { t } = context;
  return [
    {
      title: t('deliveries.endpoint'),
      cell: ({ name, merchant }) =>
        html`<a href="/deliveries?endpoint=${encodeURIComponent(name)}">${name}</a><div class="hint">${merchant}</div>`,
    },
    {
      title: t('endpoints.url'),
      cell: ({ url }) => html`<span class="mono">${url}</span>`,
    },
    { title: t('status'), cell: (row) => endpointState(context, row, now) },
    {
      title: t('endpoints.types'),
      cell: ({ eventTypes }) =>
        eventTypes.length === 0
          ? html`${t('endpoints.allTypes')}`
          : html`${eventTypes.map((type) => html`<div><code>${type}</code></div>`)}`,
    },
    {
      title: t('endpoints.lastSuccess'),
      cell: ({ lastSuccessAt }) => (lastSuccessAt ? time(lastSuccessAt) : html`–`),
    },
    { title: t('held.actions'), cell: (row) => actions(context, row) },
  ];
}

function endpointState(context: PageContext, row: EndpointRow, now: Date): Html {
  const { t } = context;
  const { disabledAt, disabledReason, openUntil, failures, failingSince } = row;
  if (disabledAt !== null) {
    return html`${badge(context, 'endpoint', 'disabled')}
<div class="hint">${wordFor(context, 'disabled', disabledReason ?? '')}, ${time(disabledAt)}</div>`;
  }
  const failed = html`<div class="hint">${t('endpoints.failures', { n: failures })} ${time(failingSince)}</div>`;
  if (openUntil !== null && openUntil > now) {
    return html`${badge(context, 'endpoint', 'circuit_open')} ${failed}
<div class="hint">${t('timeline.next')} ${time(openUntil)}</div>`;
  }
  if (failures > 0) return html`${badge(context, 'endpoint', 'failing')} ${failed}`;
  return badge(context, 'endpoint', 'delivering');
}

function actions(context: PageContext, { id, disabledAt, disabledReason }: EndpointRow): Html {
  const { t } = context;
  if (!canOperate(context)) return NOTHING;
  if (disabledAt === null) {
    return html`<div class="actions"><a class="button" href="/endpoints/${id}/disable">${t('endpoints.disable')}</a>
${postButton(context, `/endpoints/${id}/redeliver-parked`, t('endpoints.redeliverParked'))}</div>`;
  }
  // The next reload of the channel file would disable it again.
  if (disabledReason === 'not_in_file')
    return html`<span class="hint">${t('endpoints.inFile')}</span>`;
  return postButton(context, `/endpoints/${id}/enable`, t('endpoints.enable'));
}
