import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';
import { badge, wordFor } from '../parts/badge.js';
import { counted } from '../parts/copies.js';
import { aboutHold, outcomeBadges, saidBy } from '../parts/event.js';
import { facts } from '../parts/facts.js';
import { heldActions } from '../parts/held-actions.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { orderLink } from '../parts/links.js';
import { contextOf, type PageContext, sendPage } from '../parts/page-context.js';
import { time } from '../parts/time.js';
import { timeline } from '../parts/timeline.js';
import { sendRefusal } from '../plugins/page-errors.js';
import { notificationToken } from '../reads/change-tokens.js';
import { type NotificationDetailRow, readNotificationWithTimeline } from '../reads/notification.js';
import { ofNotification, unknownNotification } from '../routes/notifications.js';
import { rowId } from '../schemas/fields.js';
import type { Timeline, TimelineEntry } from '../schemas/timeline.js';

const params = z.object({ id: rowId });

export async function notificationPageRoutes(
  app: TypedApp,
  { prisma }: DatabaseDeps,
): Promise<void> {
  const one = { config: { merchants: ofNotification }, schema: { params } };
  app.get('/notifications/:id', one, async (request, reply) => {
    const found = await readNotificationWithTimeline(prisma, request.params.id);
    if (found === null) return sendRefusal(request, reply, unknownNotification);
    const { notification, timeline, orders } = found;
    const page = notificationPage(contextOf(request), notification, timeline, (event) =>
      orders.some(
        ({ merchant, number }) => merchant === event.merchant && number === event.orderNumber,
      ),
    );
    return sendPage(reply, page);
  });
  app.get('/notifications/:id/change-token', one, (request) =>
    notificationToken(prisma, request.params.id),
  );
}

type EventRow = NotificationDetailRow['events'][number];

/** One notification: what arrived, the decisions, the reply, and the actions if it is held. */
function notificationPage(
  context: PageContext,
  row: NotificationDetailRow,
  history: Timeline,
  /** Whether the order of an event is registered. */
  isRegistered: (event: EventRow) => boolean,
): string {
  const { t } = context;
  const [line] = history.notifications;
  const title = t('notifications.title', { id: `#${row.id}` });
  return layout(
    context,
    { title, under: '/notifications', live: true },
    html`<h1>${title}</h1>
<div id="judged" data-live>
<p>${badge(context, 'outcome', row.status)} <b>${line ? counted(context, line) : ''}</b></p>
<h2>${t('notifications.judged')}</h2>
${row.events.map((event) => judgement(context, event, isRegistered(event)))}
</div>
<h2>${t('notifications.replied')}</h2>
${replyOf(context, history.entries)}
<h2>${t('notifications.came')}</h2>
${came(context, row)}
<h2>${t('notifications.whatHappened')}</h2>
<div id="history" data-live>${timeline(context, history.entries)}</div>`,
  );
}

function judgement(context: PageContext, event: EventRow, isRegistered: boolean): Html {
  const { t } = context;
  const { merchant, orderNumber, holdReason, nextRetryAt } = event;
  const order =
    orderNumber === null
      ? html`${t('notifications.noOrder')}`
      : isRegistered
        ? orderLink(merchant, orderNumber)
        : html`<span class="mono">${orderNumber}</span>`;
  const held =
    holdReason === null
      ? NOTHING
      : html`<div class="held">${aboutHold(context, holdReason)}
<p class="hint">${nextRetryAt === null ? t('held.onlyPerson') : html`${t('held.nextRetry')} ${time(nextRetryAt)}`}</p>
${heldActions(context, event.notificationRowId, event.position)}</div>`;
  return html`<div class="card event">${facts([
    [t('status'), outcomeBadges(context, event.outcome, holdReason)],
    [t('order'), order],
    [t('notifications.event'), saidBy(context, event.event)],
  ])}${held}</div>`;
}

function replyOf({ t }: PageContext, entries: readonly TimelineEntry[]): Html {
  const reply = entries.find((entry) => entry.kind === 'reply');
  if (reply?.kind !== 'reply') return NOTHING;
  const { status, body, reported } = reply;
  return html`<pre>${status}${body === '' ? '' : ` ${body}`}</pre>
${reported ? NOTHING : html`<p class="hint">${t('timeline.replyUnreported')}</p>`}`;
}

/** Masked: names of fields, and the values without payers and secrets. */
function came(context: PageContext, row: NotificationDetailRow): Html {
  const { t } = context;
  const signed = row.authenticity === 'signed';
  return html`<div class="card">${facts([
    [t('provider'), html`${wordFor(context, 'provider', row.provider)}`],
    [t('channel'), html`${row.channel}`],
    [t('merchant'), html`${row.merchant}`],
    [t('when'), time(row.receivedAt)],
    [t('notifications.id'), html`<span class="mono">${row.notificationId}</span>`],
    [
      t('notifications.authenticity'),
      html`${t(signed ? 'notifications.signed' : 'notifications.encrypted')}`,
    ],
    [
      t('notifications.conflicting'),
      row.variant === '' ? null : html`<code>${row.digest.slice(0, 16)}…</code>`,
    ],
  ])}</div>
${row.purgedAt === null ? bytesOf(context, row) : html`<p class="hint">${t('notifications.purged')} ${time(row.purgedAt)}</p>`}`;
}

function bytesOf({ t }: PageContext, row: NotificationDetailRow): Html {
  const { bytes, fields } = row.body;
  return html`<p class="hint">${t('notifications.bytes', { n: bytes })}</p>
<details><summary>${t('notifications.field')} (${Object.keys(fields).length})</summary>${namesAndValues(fields)}</details>
<details><summary>${t('notifications.headers')}</summary>${namesAndValues(row.headers)}</details>`;
}

function namesAndValues(fields: Readonly<Record<string, string>>): Html {
  const entries = Object.entries(fields).map(
    ([name, value]) => [name, html`<span class="mono">${value}</span>`] as const,
  );
  return facts(entries);
}
