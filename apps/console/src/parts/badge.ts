import { isPlainKey } from '../i18n/translate.js';
import { type Html, html } from './html.js';
import type { PageContext } from './page-context.js';

type Tone = 'good' | 'warn' | 'bad' | 'info' | 'idle';

/**
 * Names that are missing here get a neutral tone: only the colour is missing, the word is always
 * shown.
 */
const TONES: Readonly<Record<string, Tone>> = {
  'order.paid': 'good',
  'order.pending': 'idle',
  'order.partially_refunded': 'info',
  'order.refunded': 'info',
  'order.closed': 'idle',
  'outcome.applied': 'good',
  'outcome.duplicate': 'idle',
  'outcome.held': 'warn',
  'outcome.ignored': 'idle',
  'delivery.delivered': 'good',
  'delivery.pending': 'info',
  'delivery.parked': 'bad',
  'endpoint.delivering': 'good',
  'endpoint.failing': 'warn',
  'endpoint.circuit_open': 'warn',
  'endpoint.disabled': 'bad',
  'letter.open': 'bad',
  'letter.redriving': 'info',
  'letter.redriven': 'good',
  'letter.dismissed': 'idle',
  'store.ready': 'good',
  'store.down': 'bad',
  'store.connecting': 'idle',
  'gateway.reporting': 'good',
  'gateway.silent': 'bad',
  'trade.counts': 'good',
  'trade.released': 'idle',
  'key.valid': 'good',
  'key.soon': 'warn',
  'key.expired': 'bad',
};

/** @param family of the message: `order`, `outcome`, … @param name as it is stored */
export function badge(context: PageContext, family: string, name: string): Html {
  const tone =
    TONES[`${family}.${name}`] ?? (family === 'attention' || family === 'hold' ? 'warn' : 'idle');
  return html`<span class="badge ${tone}">${wordFor(context, family, name)}</span>`;
}

/** The word for a stored name; a name of another version is shown unchanged. */
export function wordFor({ t }: PageContext, family: string, name: string): string {
  const key = `${family}.${name}`;
  return isPlainKey(key) ? t(key) : name;
}
