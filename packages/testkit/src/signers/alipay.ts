import type { KeyObject } from 'node:crypto';
import {
  type AlipayChanges,
  type AlipayPayee,
  type AlipayPlatformMessage,
  type AlipayTradeInput,
  messageFields,
  paidFields,
  refundFields,
  textFields,
  tradeFields,
  withFreshTime,
} from './alipay-fields.js';
import { type AlipaySignType, alipayRequest, signAlipayFields } from './alipay-wire.js';
import { generateRsaKeyPair } from './keys.js';
import {
  type Clock,
  type Fields,
  fieldValue,
  type PaymentInput,
  type ProviderSigner,
  type RefundInput,
  type SignedNotification,
} from './request.js';
import { beijingTime } from './wire.js';

export interface AlipaySignerOptions extends AlipayPayee {
  readonly privateKey: KeyObject;
  readonly signType?: AlipaySignType;
  readonly clock?: Clock;
}

/**
 * The unsigned fields (without `sign_type`), and whether `sign_type` is part of the signed text.
 */
export interface AlipayContent {
  readonly fields: Fields;
  readonly signTypeIsSigned: boolean;
}

export type AlipayNotification = SignedNotification<AlipayContent>;

export interface AlipayClosedInput {
  readonly orderNumber: string;
  readonly trade: string;
  readonly amount: bigint;
  readonly closedAt: Date;
  readonly notificationId?: string;
}

export interface AlipayFinishedInput extends PaymentInput {
  /** When the trade became final; no separate field states it. */
  readonly finishedAt?: Date;
}

export interface AlipaySigner extends ProviderSigner<AlipayContent> {
  readonly id: 'alipay';
  /** TRADE_SUCCESS. */
  payment(input: PaymentInput & AlipayChanges): AlipayNotification;
  /** TRADE_SUCCESS with the running total, or TRADE_CLOSED when nothing is left of the payment. */
  refund(input: RefundInput & AlipayChanges): AlipayNotification;
  /** TRADE_CLOSED, unpaid. */
  closed(input: AlipayClosedInput & AlipayChanges): AlipayNotification;
  /** TRADE_FINISHED: paid, and no longer refundable. */
  finished(input: AlipayFinishedInput & AlipayChanges): AlipayNotification;
  /** WAIT_BUYER_PAY. */
  waiting(input: Omit<AlipayClosedInput, 'closedAt'> & AlipayChanges): AlipayNotification;
  /** "From 蚂蚁" messages: `msg_method` and `biz_content` instead of a trade. */
  platformMessage(input: AlipayPlatformMessage): AlipayNotification;
  /** Exactly these fields, genuinely signed, whatever they mean. */
  fields(fields: Fields, options?: { readonly signTypeIsSigned?: boolean }): AlipayNotification;
}

/** Signs like Alipay's open platform (docs/providers/alipay.md). */
export function createAlipaySigner(options: AlipaySignerOptions): AlipaySigner {
  const clock = options.clock ?? (() => new Date());
  const send = createSender(options);
  const trade = (input: AlipayTradeInput): AlipayNotification =>
    send({ fields: tradeFields(options, clock(), input), signTypeIsSigned: false });

  return {
    id: 'alipay',
    payment: (input) => {
      const more = [...paidFields(input), ...textFields(input)];
      return trade({ ...input, status: 'TRADE_SUCCESS', more });
    },
    refund: (input) => {
      const status = input.full ? 'TRADE_CLOSED' : 'TRADE_SUCCESS';
      return trade({ ...input, status, more: refundFields(input) });
    },
    closed: (input) => {
      const more: Fields = [['gmt_close', beijingTime(input.closedAt)]];
      return trade({ ...input, status: 'TRADE_CLOSED', more });
    },
    finished: (input) => trade({ ...input, status: 'TRADE_FINISHED', more: paidFields(input) }),
    waiting: (input) => trade({ ...input, status: 'WAIT_BUYER_PAY', more: [] }),
    platformMessage: (input) =>
      send({ fields: messageFields(options, clock(), input), signTypeIsSigned: false }),
    fields: (fields, { signTypeIsSigned = false } = {}) => send({ fields, signTypeIsSigned }),
    resend: ({ content }) => send({ ...content, fields: withFreshTime(content.fields, clock()) }),
    forge: createForger(send),
  };
}

type Send = (content: AlipayContent, privateKey?: KeyObject) => AlipayNotification;

function createSender({ privateKey: ownKey, signType, charset }: AlipaySignerOptions): Send {
  return (content, privateKey = ownKey) => {
    const signed = signAlipayFields(content.fields, {
      privateKey,
      signType: signType ?? 'RSA2',
      charset: charset ?? 'utf-8',
      signTypeIsSigned: content.signTypeIsSigned,
    });
    const notificationId = fieldValue(content.fields, 'notify_id') ?? null;
    return { ...alipayRequest(signed, charset), notificationId, content };
  };
}

function createForger(send: Send): AlipaySigner['forge'] {
  let foreignKey: KeyObject | undefined;
  return (notification, kind = 'foreign_key') => {
    if (kind === 'changed_content') {
      return { ...notification, body: alterAfterSigning(notification.body) };
    }
    foreignKey ??= generateRsaKeyPair().privateKey;
    return send(notification.content, foreignKey);
  };
}

/** One field's value grows by one digit after signing: the amount, if there is one. */
function alterAfterSigning(body: Buffer): Buffer {
  const text = body.toString('latin1');
  const name = ['total_amount=', 'notify_id='].find((candidate) => text.includes(candidate));
  return Buffer.from(name ? text.replace(name, `${name}9`) : `${text}&added=1`, 'latin1');
}
