import type { KeyObject } from 'node:crypto';
import {
  type AlipayCharset,
  type AlipaySigning,
  type AlipaySignType,
  alipayRequest,
  signAlipayFields,
} from './alipay-wire.js';
import { generateRsaKeyPair } from './keys.js';
import {
  type Clock,
  type Fields,
  type ForgeryKind,
  fieldValue,
  type PaymentInput,
  type ProviderSigner,
  type RefundInput,
  type SignedNotification,
  type SignedRequest,
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

export interface AlipaySignerOptions {
  readonly privateKey: KeyObject;
  readonly appId: string;
  readonly sellerId: string;
  readonly signType?: AlipaySignType;
  readonly charset?: AlipayCharset;
  readonly clock?: Clock;
}

/** The unsigned fields (without `sign_type`), and whether `sign_type` is part of what is signed. */
export interface AlipayContent {
  readonly fields: Fields;
  readonly signTypeIsSigned: boolean;
}

export type AlipayNotification = SignedNotification<AlipayContent>;

/** Further or other fields than the usual ones; `changes` also takes empty values. */
export interface AlipayChanges {
  readonly changes?: Fields;
}

export interface AlipayClosedInput {
  readonly orderNumber: string;
  readonly trade: string;
  readonly amount: bigint;
  readonly closedAt: Date;
  readonly notificationId?: string;
}

export interface AlipayFinishedInput extends PaymentInput {
  /** When the trade became final; told by no field of its own. */
  readonly finishedAt?: Date;
}

export interface AlipayPlatformMessage {
  /** e.g. `alipay.fund.trans.order.changed` */
  readonly method: string;
  readonly content: unknown;
  readonly notificationId?: string;
}

export interface AlipaySigner extends ProviderSigner<AlipayContent> {
  readonly id: 'alipay';
  /** TRADE_SUCCESS. */
  payment(input: PaymentInput & AlipayChanges): AlipayNotification;
  /** TRADE_SUCCESS with the running total, or TRADE_CLOSED when nothing is left of the payment. */
  refund(input: RefundInput & AlipayChanges): AlipayNotification;
  /** TRADE_CLOSED, unpaid. */
  closed(input: AlipayClosedInput & AlipayChanges): AlipayNotification;
  /** TRADE_FINISHED: paid, and no refund possible any more. */
  finished(input: AlipayFinishedInput & AlipayChanges): AlipayNotification;
  /** WAIT_BUYER_PAY. */
  waiting(input: Omit<AlipayClosedInput, 'closedAt'> & AlipayChanges): AlipayNotification;
  /** "From 蚂蚁" messages: `msg_method` and `biz_content` instead of a trade. */
  platformMessage(input: AlipayPlatformMessage): AlipayNotification;
  /** Exactly these fields, genuinely signed, whatever they mean. */
  fields(fields: Fields, options?: { readonly signTypeIsSigned?: boolean }): AlipayNotification;
}

/** Signs as Alipay's open platform does (PROVIDERS §1). */
export function createAlipaySigner(options: AlipaySignerOptions): AlipaySigner {
  const clock = options.clock ?? (() => new Date());
  const signType = options.signType ?? 'RSA2';
  const charset = options.charset ?? 'utf-8';
  let foreignKey: KeyObject | undefined;

  const send = (
    content: AlipayContent,
    signing: Partial<AlipaySigning> = {},
  ): AlipayNotification => {
    const signed = signAlipayFields(content.fields, {
      privateKey: options.privateKey,
      signType,
      charset,
      signTypeIsSigned: content.signTypeIsSigned,
      ...signing,
    });
    const notificationId = fieldValue(content.fields, 'notify_id') ?? null;
    return { ...alipayRequest(signed, charset), notificationId, content };
  };
  const trade = (input: TradeInput): AlipayNotification =>
    send({
      fields: withFields(tradeFields(options, charset, clock(), input), input.changes ?? []),
      signTypeIsSigned: false,
    });

  return {
    id: 'alipay',
    payment: (input) =>
      trade({
        ...input,
        status: 'TRADE_SUCCESS',
        more: [...paidFields(input), ...textFields(input)],
      }),
    refund: (input) =>
      trade({
        ...input,
        status: input.full ? 'TRADE_CLOSED' : 'TRADE_SUCCESS',
        more: refundFields(input),
      }),
    closed: (input) =>
      trade({
        ...input,
        status: 'TRADE_CLOSED',
        more: [['gmt_close', beijingTime(input.closedAt)]],
      }),
    finished: (input) => trade({ ...input, status: 'TRADE_FINISHED', more: paidFields(input) }),
    waiting: (input) => trade({ ...input, status: 'WAIT_BUYER_PAY', more: [] }),
    platformMessage: (input) =>
      send({ fields: messageFields(options, charset, clock(), input), signTypeIsSigned: false }),
    fields: (fields, { signTypeIsSigned = false } = {}) => send({ fields, signTypeIsSigned }),
    resend: ({ content }) => send({ ...content, fields: withFreshTime(content.fields, clock()) }),
    forge(notification: AlipayNotification, kind: ForgeryKind = 'foreign_key'): SignedRequest {
      if (kind === 'foreign_key') {
        foreignKey ??= generateRsaKeyPair().privateKey;
        return send(notification.content, { privateKey: foreignKey });
      }
      return { ...notification, body: alterAfterSigning(notification.body) };
    },
  };
}

interface TradeInput extends AlipayChanges {
  readonly orderNumber: string;
  readonly trade: string;
  readonly amount: bigint;
  readonly notificationId?: string;
  readonly status: string;
  readonly more: Fields;
}

function tradeFields(
  { appId, sellerId }: AlipaySignerOptions,
  charset: AlipayCharset,
  now: Date,
  input: TradeInput,
): Fields {
  return withFields(
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
}

/** As real ones: the date, then digits; 34 characters. */
function newNotifyId(now: Date): string {
  return `${beijingTime(now).slice(0, 10).replaceAll('-', '')}${randomDigits(26)}`;
}

function paidFields(input: Pick<PaymentInput, 'amount' | 'paidAt'>): Fields {
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

function textFields({ text }: PaymentInput): Fields {
  return text === undefined ? [] : [['subject', text]];
}

/** `refund_fee` is the running total; a full refund closes the trade (PROVIDERS §1.6). */
function refundFields(input: RefundInput): Fields {
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

function messageFields(
  { appId }: AlipaySignerOptions,
  charset: AlipayCharset,
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
function withFreshTime(fields: Fields, now: Date): Fields {
  const previous = fieldValue(fields, 'notify_time');
  if (previous === undefined) return fields;
  const fresh = beijingTime(now);
  return withFields(fields, [
    ['notify_time', fresh === previous ? beijingTime(new Date(now.getTime() + 1000)) : fresh],
  ]);
}

/** One field's value grows by one digit, behind the signature's back: the amount, where there is one. */
function alterAfterSigning(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const name = ['total_amount=', 'notify_id='].find((candidate) => text.includes(candidate));
  return Buffer.from(name ? text.replace(name, `${name}9`) : `${text}&added=1`, 'latin1');
}
