import type { OrderTrade } from '@payonce/orders/orders/order-trades';
import { badge } from './badge.js';
import { type Html, html, NOTHING } from './html.js';
import { orderPath } from './links.js';
import { money } from './money.js';
import { canOperate, type PageContext } from './page-context.js';
import { table } from './table.js';

/** The address of the pages of one trade of an order. */
export function tradePath(
  merchant: string,
  number: string,
  { rail, trade }: Pick<OrderTrade, 'rail' | 'trade'>,
): string {
  return `${orderPath(merchant, number)}/trades/${rail}/${encodeURIComponent(trade)}`;
}

/** The trades of an order, with a person's actions on each. */
export function orderTrades(
  context: PageContext,
  order: { readonly merchant: string; readonly number: string; readonly currency: string },
  trades: readonly OrderTrade[],
): Html {
  const { t } = context;
  const { merchant, number, currency } = order;
  const amount = (minor: bigint | null) => (minor === null ? html`–` : money(minor, currency));
  return table(
    { caption: t('trades.title'), empty: html`${t('trades.none')}` },
    [
      {
        title: t('orders.trade'),
        cell: ({ rail, trade }) =>
          html`<span class="mono">${trade}</span> <span class="hint">${rail}</span>`,
      },
      { title: t('orders.paid'), cell: ({ paidAmount }) => amount(paidAmount) },
      { title: t('orders.refunded'), cell: ({ refundedAmount }) => amount(refundedAmount) },
      {
        title: t('status'),
        cell: (one) => html`${badge(context, 'trade', one.isReleased ? 'released' : 'counts')}
${one.isContested ? badge(context, 'attention', 'contested_trade') : NOTHING}`,
      },
      {
        title: t('held.actions'),
        cell: (one) => {
          if (!canOperate(context)) return NOTHING;
          const action = one.isReleased ? 'reinstate' : 'release';
          return html`<a class="button" href="${tradePath(merchant, number, one)}/${action}">${t(`trades.${action}`)}</a>`;
        },
      },
    ],
    trades,
  );
}
