import type { AlipayCharset } from './alipay-wire.js';
import {
  type Fields,
  fieldValue,
  type PaymentInput,
  type RefundInput,
  withFields,
} from './request.js';
import {
  beijingTime,
  beijingTimeWithFraction,
  randomDigits,
  randomHex,
  unixSeconds,
  yuanText,
} from './wire.js';

/** The fields of Alipay's messages before they are signed (docs/providers/alipay.md, "Fields"). */

export interface AlipayPayee {
  readonly appId: string;
  readonly sellerId: string;
  readonly charset?: AlipayCharset;
}

/** Further or different fields; `changes` also takes empty values. */
export interface AlipayChanges {
  readonly changes?: Fields;
}

export interface AlipayPlatformMessage {
  /** e.g. `alipay.fund.trans.order.changed` */
  readonly method: string;
  readonly content: unknown;
  readonly notificationId?: string;
}

export interface AlipayTradeInput extends AlipayChanges {
  readonly orderNumber: string;
  readonly trade: string;
  readonly amount: bigint;
  readonly notificationId?: string;
  readonly status: string;
  readonly more: Fields;
}

export function tradeFields(
  { appId, sellerId, charset = 'utf-8' }: AlipayPayee,
  now: Date,
  input: AlipayTradeInput,
): Fields {
  const fields = withFields(
    [
      ['charset', charset],
      ['notify_time', beijingTime(now)],
      ['subject', '模拟订单 demo+order 100%'],
      ['buyer_id', '2088000000000001'],
      ['version', '1.0'],
      ['notify_id', input.notificationId ?? newNotifyId(now)],
      ['notify_type', 'trade_status_sync'],
      ['out_trade_no', input.orderNumber],
      ['total_amount', yuanText(input.amount)],
      ['trade_status', input.status],
      ['trade_no', input.trade],
      ['auth_app_id', appId],
      ['app_id', appId],
      ['seller_id', sellerId],
    ],
    input.more,
  );
  return withFields(fields, input.changes ?? []);
}

/** Like real ones: the date, then digits; 34 characters. */
function newNotifyId(now: Date): string {
  return `${beijingTime(now).slice(0, 10).replaceAll('-', '')}${randomDigits(26)}`;
}

export function paidFields(input: Pick<PaymentInput, 'amount' | 'paidAt'>): Fields {
  const amount = yuanText(input.amount);
  return [
    ['gmt_create', beijingTime(new Date(input.paidAt.getTime() - 5000))],
    ['gmt_payment', beijingTime(input.paidAt)],
    ['fund_bill_list', JSON.stringify([{ amount, fundChannel: 'ALIPAYACCOUNT' }])],
    ['receipt_amount', amount],
    ['invoice_amount', amount],
    ['buyer_pay_amount', amount],
    ['point_amount', '0.00'],
  ];
}

export function textFields({ text }: PaymentInput): Fields {
  return text === undefined ? [] : [['subject', text]];
}

/** `refund_fee` is the running total; all of it closes (docs/providers/alipay.md, "Refunds"). */
export function refundFields(input: RefundInput): Fields {
  const refundedAt = beijingTimeWithFraction(input.refundedAt);
  return [
    ...(input.paidAt ? paidFields({ amount: input.amount, paidAt: input.paidAt }) : []),
    ['out_biz_no', input.refundId],
    ['refund_fee', yuanText(input.refundedTotal)],
    ['send_back_fee', yuanText(input.refundAmount)],
    ['gmt_refund', refundedAt],
    ...(input.full ? [['gmt_close', beijingTime(input.refundedAt)] as const] : []),
  ];
}

export function messageFields(
  { appId, charset = 'utf-8' }: AlipayPayee,
  now: Date,
  input: AlipayPlatformMessage,
): Fields {
  return [
    ['notify_id', input.notificationId ?? randomHex(16)],
    ['utc_timestamp', `${unixSeconds(now)}000`],
    ['msg_method', input.method],
    ['app_id', appId],
    ['version', '1.1'],
    ['biz_content', JSON.stringify(input.content)],
    ['charset', charset],
  ];
}

/** `notify_time` is the time of this sending; a re-send within the same second still differs. */
export function withFreshTime(fields: Fields, now: Date): Fields {
  const previous = fieldValue(fields, 'notify_time');
  if (previous === undefined) return fields;
  const fresh = beijingTime(now);
  return withFields(fields, [
    ['notify_time', fresh === previous ? beijingTime(new Date(now.getTime() + 1000)) : fresh],
  ]);
}
