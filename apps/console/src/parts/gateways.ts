import type { Figures } from '../schemas/stats.js';
import { badge } from './badge.js';
import { type Html, html } from './html.js';
import type { PageContext } from './page-context.js';
import { table } from './table.js';
import { time } from './time.js';

type Gateway = Figures['gateways'][number];

const DAY_MS = 86_400_000;
/** From then on the gateway's metric should raise an alarm, too. */
const EXPIRY_WARNING_MS = 30 * DAY_MS;
/** A gateway reports every second; sixty times that is more than a network problem. */
const SILENT_MS = 60_000;
/**
 * Beyond this, either way, the metric should raise an alarm. At 300 all of WeChat Pay v3 is
 * refused.
 */
const SKEW_WARNING_SECONDS = 60;

export function gatewayTable(
  context: PageContext,
  gateways: readonly Gateway[],
  now: string,
): Html {
  const { t } = context;
  return table<Gateway>(
    { id: 'gateways', caption: t('overview.gateways'), empty: html`${t('overview.noGateway')}` },
    [
      { title: t('overview.gateway'), cell: ({ id }) => html`<code>${id.slice(0, 8)}</code>` },
      {
        title: t('status'),
        cell: ({ seenAt }) =>
          badge(context, 'gateway', isSilent(seenAt, now) ? 'silent' : 'reporting'),
      },
      { title: t('overview.seen'), cell: ({ seenAt }) => time(seenAt) },
      { title: t('overview.started'), cell: ({ startedAt }) => time(startedAt) },
      { title: t('overview.itsStores'), cell: ({ state }) => stores(state?.stores ?? []) },
      { title: t('overview.skew'), cell: ({ state }) => skew(state?.clockSkewSeconds ?? {}) },
    ],
    gateways,
  );
}

function isSilent(seenAt: string, now: string): boolean {
  return Date.parse(now) - Date.parse(seenAt) > SILENT_MS;
}

function stores(states: readonly { readonly name: string; readonly state: string }[]): Html {
  return html`${states.map(({ name, state }) => html`<div>${name}: ${state}</div>`)}`;
}

function skew(byChannel: Readonly<Record<string, number>>): Html {
  const all = Object.values(byChannel);
  if (all.length === 0) return html`–`;
  const worst = all.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most));
  const seconds = html`${worst.toFixed(1)} s`;
  return Math.abs(worst) > SKEW_WARNING_SECONDS
    ? html`<span class="badge warn">${seconds}</span>`
    : seconds;
}

interface Key {
  readonly channel: string;
  readonly name: string;
  readonly expiresAt: string;
}

/** Keys that expire, the soonest first, from the gateway that reported last. */
export function keyTable(context: PageContext, gateways: readonly Gateway[], now: string): Html {
  const { t } = context;
  const channels = gateways.find(({ state }) => state !== null)?.state?.channels ?? [];
  const keys: Key[] = channels.flatMap(({ channel, keys }) =>
    keys.flatMap(({ name, expiresAt, retired }) =>
      expiresAt === null || retired ? [] : [{ channel, name, expiresAt }],
    ),
  );
  return table<Key>(
    { id: 'keys', caption: t('overview.keys'), empty: html`${t('overview.noKey')}` },
    [
      { title: t('channel'), cell: ({ channel }) => html`${channel}` },
      { title: t('overview.key'), cell: ({ name }) => html`<span class="mono">${name}</span>` },
      { title: t('overview.expires'), cell: ({ expiresAt }) => time(expiresAt) },
      {
        title: t('status'),
        cell: ({ expiresAt }) => badge(context, 'key', expiry(expiresAt, now)),
      },
    ],
    keys.sort((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt)),
  );
}

function expiry(expiresAt: string, now: string): 'expired' | 'soon' | 'valid' {
  const left = Date.parse(expiresAt) - Date.parse(now);
  if (left <= 0) return 'expired';
  return left < EXPIRY_WARNING_MS ? 'soon' : 'valid';
}
