import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { badge, wordFor } from '../parts/badge.js';
import { filters } from '../parts/filters.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { orderLink } from '../parts/links.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { pager } from '../parts/pager.js';
import { cursorIn, ROWS_PER_PAGE, textIn } from '../parts/query.js';
import { table } from '../parts/table.js';
import { time } from '../parts/time.js';
import { type AuditLogRow, readAuditLog } from '../reads/audit-log.js';

export async function auditPageRoutes(
  app: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  app.get('/audit', { config: { merchants: 'all' } }, async (request, reply) => {
    const query = { actor: textIn(request, 'actor'), cursor: cursorIn(request) };
    const page = await readAuditLog(prisma, { ...query, limit: ROWS_PER_PAGE });
    return sendPage(reply, auditPage(contextOf(request), query, page));
  });
}

const detailFields = z.object({ reason: z.string().nullish(), holdReason: z.string().nullish() });

function auditPage(
  context: PageContext,
  query: { readonly actor: string },
  page: { readonly rows: readonly AuditLogRow[]; readonly nextCursor: string | null },
): string {
  const { t } = context;
  return layout(
    context,
    { title: t('nav.audit'), under: '/audit' },
    html`<h1>${t('nav.audit')}</h1>
<p class="muted">${t('audit.intro')}</p>
${filters(context, '/audit', [{ name: 'actor', label: t('audit.actor'), value: query.actor }])}
${table<AuditLogRow>(
  {
    caption: t('nav.audit'),
    empty: html`${query.actor ? t('empty.filtered') : t('audit.none')}`,
  },
  [
    { title: t('audit.actor'), cell: ({ actor }) => html`${actor}` },
    { title: t('audit.action'), cell: ({ action }) => html`${wordFor(context, 'action', action)}` },
    { title: t('audit.about'), cell: (row) => subject(context, row) },
    { title: t('reason'), cell: ({ detail }) => words(context, detail) },
    { title: t('when'), cell: ({ createdAt }) => time(createdAt) },
  ],
  page.rows,
)}
${pager(context, page.nextCursor)}`,
  );
}

function subject({ t }: PageContext, row: AuditLogRow): Html {
  const parts: Html[] = [];
  if (row.order) parts.push(orderLink(row.order.merchant, row.order.number));
  if (row.notificationEvent) {
    const { notificationRowId: id } = row.notificationEvent;
    parts.push(html`<a href="/notifications/${id}">${t('audit.event', { id: `#${id}` })}</a>`);
  }
  if (row.deadLetterId) {
    const id = row.deadLetterId;
    parts.push(html`<a href="/dead-letters/${id}">${t('audit.deadLetter', { id: `#${id}` })}</a>`);
  }
  if (row.deliveryId) {
    const id = row.deliveryId;
    parts.push(html`<a href="/deliveries/${id}">${t('audit.delivery', { id: `#${id}` })}</a>`);
  }
  if (row.endpoint) parts.push(html`${t('audit.endpoint', { name: row.endpoint.name })}`);
  if (row.apiKey) parts.push(html`${t('audit.apiKey', { name: row.apiKey.name })}`);
  return html`${parts.map((part) => html`<div>${part}</div>`)}`;
}

function words(context: PageContext, detail: unknown): Html {
  const { reason, holdReason } = detailFields.safeParse(detail).data ?? {};
  return html`${holdReason ? badge(context, 'hold', holdReason) : NOTHING}${reason ? html`<div>“${reason}”</div>` : NOTHING}`;
}
