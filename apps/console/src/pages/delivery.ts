import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { redeliverDelivery } from '@payonce/orders/deliveries/redeliver';
import { z } from 'zod';
import { nothingHere } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { aboutOf, deliveryState, redeliverButton } from '../parts/delivery.js';
import { facts } from '../parts/facts.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { localPath } from '../parts/query.js';
import { type Column, table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { formOf } from '../plugins/forms.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { deliveryToken } from '../reads/change-tokens.js';
import { type DeliveryDetailRow, findDelivery } from '../reads/deliveries.js';
import { rowId } from '../schemas/fields.js';

const params = z.object({ id: rowId });
const merchants = { row: 'delivery', unknown: nothingHere } as const;
const config = { access: 'session', role: 'operate', merchants } as const;

export async function deliveryPageRoutes(app: TypedApp, deps: DatabaseDeps): Promise<void> {
  const one = { config: { merchants }, schema: { params } };
  app.get('/deliveries/:id', one, async (request, reply) => {
    const row = await findDelivery(deps.prisma, request.params.id);
    if (row === null) return sendRefusal(request, reply, nothingHere);
    return sendPage(reply, deliveryPage(contextOf(request), row));
  });
  app.get('/deliveries/:id/change-token', one, (request) =>
    deliveryToken(deps.prisma, request.params.id),
  );

  app.post('/deliveries/:id/redeliver', { config, schema: { params } }, async (request, reply) => {
    const session = sessionOf(request);
    const delivery = request.params.id;
    const { result } = await redeliverDelivery(deps, {
      actor: session.user,
      reason: null,
      delivery,
    });
    const { t } = contextOf(request);
    session.flash = { good: result === 'done', text: t(`redelivered.${result}`) };
    return reply.redirect(localPath(formOf(request).get('back'), `/deliveries/${delivery}`), 303);
  });
}

type Attempt = DeliveryDetailRow['history'][number];

/** One order event for one endpoint: what was sent, and each answer. */
function deliveryPage(context: PageContext, row: DeliveryDetailRow): string {
  const { t } = context;
  const { orderEvent, endpoint } = row;
  const title = t('deliveries.title', { id: `#${row.id}` });
  return layout(
    context,
    { title, under: '/deliveries', live: true },
    html`<h1>${title}</h1>
<div id="delivery" data-live>
<div class="card">${facts([
      [t('status'), deliveryState(context, row)],
      [t('deliveries.event'), html`<code>${orderEvent.type}</code>`],
      [t('audit.about'), aboutOf(orderEvent)],
      [
        t('deliveries.endpoint'),
        html`${endpoint.name} <span class="muted">${endpoint.merchant}</span>`,
      ],
      [t('deliveries.attempts'), html`${row.attempts}`],
      [t('deliveries.delivered'), row.deliveredAt && time(row.deliveredAt)],
      [t('deliveries.next'), row.state === 'pending' ? time(row.nextAttemptAt) : null],
    ])}
${redeliverButton(context, row)}</div>
</div>
<h2>${t('deliveries.attempts')}</h2>
${table({ id: 'attempts', caption: t('deliveries.attempts'), empty: html`${t('timeline.notSent')}` }, columns(context), row.history)}
<h2>${t('deliveries.payload')}</h2>
<pre tabindex="0">${JSON.stringify(orderEvent.payload, null, 2)}</pre>`,
  );
}

function columns({ t }: PageContext): Column<Attempt>[] {
  return [
    { title: t('when'), cell: ({ at }) => time(at) },
    {
      title: t('deliveries.responseStatus'),
      cell: ({ status, error }) => responseStatus(status, error),
    },
    { title: t('deliveries.took'), cell: ({ durationMs }) => html`${durationMs} ms` },
    {
      title: t('deliveries.response'),
      cell: ({ response }) =>
        response === null || response === '' ? html`–` : html`<pre tabindex="0">${response}</pre>`,
    },
  ];
}

function responseStatus(status: number | null, error: string | null): Html {
  return html`${status === null ? NOTHING : html`<b>${status}</b> `}${error === null ? NOTHING : html`<code>${error}</code>`}`;
}
