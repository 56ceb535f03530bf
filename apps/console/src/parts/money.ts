import { formatYuan } from '@payonce/providers/money';
import { type Html, html } from './html.js';
import type { PageContext } from './page-context.js';

/**
 * Readable on the page, exact minor units in the markup. @param minor as text or bigint; never a
 * float
 */
export function money(minor: string | bigint, currency: string): Html {
  const amount = BigInt(minor);
  return html`<data class="number" value="${amount}">${symbol(currency)}${formatYuan(amount)}</data>`;
}

/** With the minor units beside it, for decisions. */
export function exactMoney({ t }: PageContext, minor: string | bigint, currency: string): Html {
  return html`${money(minor, currency)} <span class="muted number">(${t('money.fen', { fen: String(minor) })})</span>`;
}

/** As plain text, within a sentence. */
export function moneyText(minor: string | bigint, currency: string): string {
  return `${symbol(currency)}${formatYuan(BigInt(minor))}`;
}

function symbol(currency: string): string {
  return currency === 'CNY' ? '¥' : `${currency} `;
}
