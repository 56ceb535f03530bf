import type { Clock } from '@payonce/core/runtime/clock';
import type { FastifyInstance } from 'fastify';
import { wordFor } from '../parts/badge.js';
import { duration } from '../parts/duration.js';
import { gatewayTable, keyTable } from '../parts/gateways.js';
import { type Html, html, NOTHING } from '../parts/html.js';
import { layout } from '../parts/layout.js';
import { chart } from '../parts/minutes.js';
import { contextOf, type PageContext, sendPage, sessionOf } from '../parts/page-context.js';
import { storeTable } from '../parts/stores.js';
import { time } from '../parts/time.js';
import type { Figures, Stats, Waiting } from '../schemas/stats.js';

/** @param options.readStats shared by all watchers: it reads at most once a second */
export async function overviewRoute(
  app: FastifyInstance,
  { clock, readStats }: { clock: Clock; readStats: () => Promise<Stats> },
): Promise<void> {
  // Everybody's first page; its figures cover all merchants.
  app.get('/', { config: { merchants: 'none' } }, async (request, reply) => {
    if (sessionOf(request).merchants !== 'all') return reply.redirect('/orders', 303);
    return sendPage(reply, overviewPage(contextOf(request), await readStats()));
  });
  // It shows ages and minutes, so it changes with the time itself.
  app.get('/change-token', { config: { merchants: 'all' } }, async () => clock().toISOString());
}

/** The overall state. Everything but the chart's frame refreshes while somebody looks. */
function overviewPage(context: PageContext, stats: Stats): string {
  const { t } = context;
  const { figures } = stats;
  return layout(
    context,
    {
      title: t('nav.overview'),
      under: '/',
      live: true,
      scripts: figures === null ? [] : ['chart.js'],
      styles: ['uPlot.min.css'],
    },
    html`<h1>${t('nav.overview')}</h1>
<div id="figures" data-live>${figures === null ? html`<p class="message bad">${t('overview.noDatabase')}</p>` : tiles(context, stats, figures)}</div>
${figures === null ? NOTHING : chart(context, figures.minutes)}
<h2>${t('overview.stores')}</h2>
${storeTable(context, stats)}
${figures === null ? NOTHING : details(context, stats, figures)}`,
  );
}

function details(context: PageContext, stats: Stats, figures: Figures): Html {
  const { t } = context;
  return html`<h2>${t('overview.gateways')}</h2>
${gatewayTable(context, figures.gateways, stats.at)}
<h2>${t('overview.keys')}</h2>
${keyTable(context, figures.gateways, stats.at)}`;
}

/** What a restored database means, and what a person has to look for. */
function rewindNotice(context: PageContext, { rewind }: Figures): Html {
  if (rewind === null) return NOTHING;
  const { t } = context;
  const { foundAt, reason, replayedJobs } = rewind;
  const replay =
    replayedJobs === null
      ? t('overview.rewindReplaying')
      : t('overview.rewindReplayed', { n: replayedJobs });
  return html`<p class="message bad">${t('overview.rewind')} ${time(foundAt)}: ${reason}. ${replay} <a href="/held?reason=unknown_order">${t('overview.rewindMissing')}</a></p>`;
}

function tiles(context: PageContext, { queues, at }: Stats, figures: Figures): Html {
  const { t } = context;
  const { held, deadLetters, deliveries, endpoints, applyMs, replyMs } = figures;
  const backlog = queues.reduce(
    (sum, { jobs }) => sum + (jobs ? jobs.waiting + jobs.delayed : 0),
    0,
  );
  const [oldest = null] = queues.flatMap(({ jobs }) => jobs?.oldestWaitingAt ?? []).sort();
  return html`${rewindNotice(context, figures)}<ul class="tiles">
${tile(t('overview.backlog'), html`${backlog}`, age(context, oldest, at))}
${tile(t('overview.reply'), milliseconds(replyMs.p50), html`${t('overview.p99')} ${milliseconds(replyMs.p99)}`)}
${tile(t('overview.apply'), milliseconds(applyMs.p50), html`${t('overview.p99')} ${milliseconds(applyMs.p99)}`)}
${tile(t('nav.held'), html`<a href="/held">${heldInAll(held)}</a>`, html`${held.map(({ reason, ...waiting }) => html`<div><a href="/held?reason=${reason}">${wordFor(context, 'hold', reason)}</a> ${counted(waiting)}</div>`)}`)}
${tile(t('nav.deadLetters'), html`<a href="/dead-letters?state=open">${counted(deadLetters)}</a>`, age(context, deadLetters.oldestAt, at))}
${tile(t('overview.deliveriesWaiting'), html`<a href="/deliveries?state=pending">${counted(deliveries.pending)}</a>`, age(context, deliveries.pending.oldestAt, at))}
${tile(t('overview.deliveriesParked'), html`<a href="/deliveries?state=parked">${counted(deliveries.parked)}</a>`, age(context, deliveries.parked.oldestAt, at))}
${tile(t('nav.endpoints'), html`<a href="/endpoints">${endpoints.enabled}</a>`, endpointHint(context, endpoints))}
</ul>`;
}

function tile(label: string, figure: Html, hint: Html): Html {
  return html`<li class="tile"><span class="muted">${label}</span><b>${figure}</b><div class="hint">${hint}</div></li>\n`;
}

function heldInAll(held: Figures['held']): string {
  const sum = held.reduce((total, { count }) => total + count, 0);
  return held.some(({ capped }) => capped) ? `${sum}+` : String(sum);
}

function counted({ count, capped }: Omit<Waiting, 'oldestAt'>): string {
  return capped ? `${count}+` : String(count);
}

function age(context: PageContext, oldest: string | null, now: string): Html {
  if (oldest === null) return NOTHING;
  const seconds = (Date.parse(now) - Date.parse(oldest)) / 1_000;
  return html`${context.t('overview.oldest', { age: duration(context, seconds) })}`;
}

function milliseconds(ms: number | null): Html {
  return ms === null ? html`–` : html`${Math.round(ms)} ms`;
}

function endpointHint({ t }: PageContext, { disabled, circuitOpen }: Figures['endpoints']): Html {
  const parts = [
    ...(disabled > 0 ? [t('overview.endpointsDisabled', { n: disabled })] : []),
    ...(circuitOpen > 0 ? [t('overview.endpointsResting', { n: circuitOpen })] : []),
  ];
  return html`${parts.join(' · ')}`;
}
