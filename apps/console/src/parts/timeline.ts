import type { TimelineEntry } from '../schemas/timeline.js';
import { wordFor } from './badge.js';
import { outcomeBadges } from './event.js';
import { type Html, html, NOTHING } from './html.js';
import { notificationLink } from './links.js';
import { money } from './money.js';
import type { PageContext } from './page-context.js';
import { time } from './time.js';

/** Orders are in CNY for now, and facts state no currency. */
const CURRENCY = 'CNY';

type Entry<Kind extends TimelineEntry['kind']> = Extract<TimelineEntry, { kind: Kind }>;

/** The history in time order, one line per entry. */
export function timeline(context: PageContext, entries: readonly TimelineEntry[]): Html {
  const lines = entries.map(
    (entry) =>
      html`<li class="t-${toneOf(entry)}">${lineOf(context, entry)}<div>${time(entry.at)}</div></li>\n`,
  );
  return html`<ol class="timeline">${lines}</ol>`;
}

function toneOf(entry: TimelineEntry): 'good' | 'warn' | 'bad' | 'info' | 'idle' {
  switch (entry.kind) {
    case 'decision':
      return entry.outcome === 'applied' ? 'good' : entry.outcome === 'held' ? 'warn' : 'idle';
    case 'delivery':
      if (entry.state === 'delivered') return 'good';
      return entry.state === 'parked' ? 'bad' : entry.attempt === null ? 'idle' : 'warn';
    case 'operator':
      return 'info';
    case 'fact':
      return factTone(entry.fact.kind);
    case 'registered':
    case 'copies':
    case 'reply':
    case 'order_event':
      return 'idle';
  }
}

function factTone(kind: string): 'good' | 'warn' | 'info' {
  if (kind === 'contested') return 'warn';
  return kind === 'released' || kind === 'reinstated' ? 'info' : 'good';
}

function lineOf(context: PageContext, entry: TimelineEntry): Html {
  const { t } = context;
  switch (entry.kind) {
    case 'registered':
      return html`${t('timeline.registered')} ${money(entry.amount, entry.currency)}`;
    case 'copies':
      return copies(context, entry);
    case 'reply':
      return reply(context, entry);
    case 'decision':
      return html`${t('timeline.decision')} ${outcomeBadges(context, entry.outcome, entry.holdReason)}
${entry.position === 0 ? NOTHING : html`<span class="hint">${t('timeline.subOrder', { n: entry.position + 1 })}</span>`}`;
    case 'fact':
      return fact(context, entry);
    case 'order_event':
      return html`${t('timeline.orderEvent')}: <code>${entry.type}</code> ${entry.version === null ? NOTHING : html`<span class="hint">v${entry.version}</span>`}`;
    case 'delivery':
      return delivery(context, entry);
    case 'operator':
      return html`<b>${entry.audit.actor}</b>: ${wordFor(context, 'action', entry.audit.action)}
${entry.audit.reason === null ? NOTHING : html`<div class="hint">“${entry.audit.reason}”</div>`}`;
  }
}

function copies(
  { t }: PageContext,
  { source, count, notification, bestEffort }: Entry<'copies'>,
): Html {
  const words = {
    first: t('timeline.copy'),
    gateway: t('timeline.copiesGateway', { n: count }),
    worker: t('timeline.copiesWorker', { n: count }),
  }[source];
  const hint = bestEffort ? html`<div class="hint">${t('timeline.bestEffort')}</div>` : NOTHING;
  return html`${words} ${notificationLink(notification)}${hint}`;
}

function reply({ t }: PageContext, { status, body, reported }: Entry<'reply'>): Html {
  const words =
    body === ''
      ? html`${t('timeline.replyEmpty', { status })}`
      : html`${t('timeline.reply', { status })} <code>${body}</code>`;
  return reported ? words : html`${words}<div class="hint">${t('timeline.replyUnreported')}</div>`;
}

function fact(context: PageContext, { fact }: Entry<'fact'>): Html {
  const amount = fact.amount === null ? NOTHING : money(fact.amount, CURRENCY);
  const about = [fact.trade, fact.refundId].filter((id) => id !== null).join(' · ');
  return html`${wordFor(context, 'timeline.fact', fact.kind)} ${amount} ${fact.refundStatus === null ? NOTHING : html`<code>${fact.refundStatus}</code>`}
<div class="hint mono">${about}</div>`;
}

function delivery(context: PageContext, entry: Entry<'delivery'>): Html {
  const { t } = context;
  const { attempt, endpoint, type, nextAttemptAt } = entry;
  const came =
    attempt === null
      ? t('timeline.notSent')
      : attempt.status === null
        ? t('timeline.noAnswer', { error: attempt.error ?? '' })
        : t('timeline.responded', { status: attempt.status, ms: attempt.durationMs });
  const next =
    nextAttemptAt === null ? NOTHING : html`; ${t('timeline.next')} ${time(nextAttemptAt)}`;
  return html`<a href="/deliveries/${entry.id}">${t('timeline.delivery', { endpoint })}</a> <code>${type}</code>
<div class="hint">${came}${next}</div>`;
}
