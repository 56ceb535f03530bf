import { type KeyObject, randomUUID } from 'node:crypto';
import { generateRsaKeyPair } from './keys.js';
import type {
  Clock,
  PaymentInput,
  ProviderSigner,
  RefundInput,
  SignedNotification,
  SignedRequest,
} from './request.js';
import {
  type CombinedInput,
  combinedResource,
  type JsonObject,
  paymentResource,
  refundResource,
  type WechatPayee,
  type WechatRefundStatus,
} from './wechatpay-resources.js';
import { sealResource, signWechatpayBody } from './wechatpay-wire.js';
import { beijingRfc3339 } from './wire.js';

export interface WechatpaySignerOptions extends WechatPayee {
  readonly apiV3Key: string;
  readonly privateKey: KeyObject;
  /** A certificate's serial (upper-case hex) or `PUB_KEY_ID_…`. */
  readonly serial: string;
  readonly clock?: Clock;
}

/** The signed content, and the decrypted resource. */
export interface WechatpayContent {
  readonly id: string;
  readonly eventType: string;
  readonly originalType: string;
  readonly associatedData: string;
  /** The decrypted resource, as text. */
  readonly resource: string;
  readonly createdAt: Date;
}

export type WechatpayNotification = SignedNotification<WechatpayContent>;

/** Further or different properties of the decrypted resource. */
export interface WechatpayChanges {
  readonly changes?: JsonObject;
}

export interface WechatpayEventInput {
  readonly eventType: string;
  /** `transaction`, `refund`, … */
  readonly originalType?: string;
  /** An object is written as JSON; a text is used unchanged (broken JSON, large numbers). */
  readonly resource: JsonObject | string;
  readonly associatedData?: string;
  readonly notificationId?: string;
}

export interface WechatpaySigner extends ProviderSigner<WechatpayContent> {
  readonly id: 'wechatpay';
  /** TRANSACTION.SUCCESS */
  payment(input: PaymentInput & WechatpayChanges): WechatpayNotification;
  /** TRANSACTION.FAIL with trade_state PAYERROR */
  failed(input: PaymentInput & WechatpayChanges): WechatpayNotification;
  /** REFUND.SUCCESS, REFUND.CLOSED or REFUND.ABNORMAL */
  refund(
    input: RefundInput & WechatpayChanges & { readonly status?: WechatRefundStatus },
  ): WechatpayNotification;
  /** TRANSACTION.SUCCESS of several orders paid at once. */
  combined(input: CombinedInput & WechatpayChanges): WechatpayNotification;
  /** Any event type and resource, genuinely sealed and signed. */
  event(input: WechatpayEventInput): WechatpayNotification;
  /** Exactly these bytes as the body, genuinely signed, whatever they are. */
  bytes(body: Buffer): SignedRequest;
  /**
   * Fresh timestamp, nonce and signature over the same body. `reencrypt` also encrypts the same
   * resource again, since no document says that the cipher text stays.
   */
  resend(
    notification: WechatpayNotification,
    options?: { readonly reencrypt?: boolean },
  ): WechatpayNotification;
}

/** Signs like WeChat Pay's API v3 (docs/providers/wechatpay.md). */
export function createWechatpaySigner(options: WechatpaySignerOptions): WechatpaySigner {
  const clock = options.clock ?? (() => new Date());
  const signBytes: SignBytes = (body, privateKey = options.privateKey) =>
    signWechatpayBody(body, { privateKey, serial: options.serial, at: clock() });
  const send = (content: WechatpayContent): WechatpayNotification => ({
    ...signBytes(envelope(content, options.apiV3Key)),
    notificationId: content.id,
    content,
  });
  const event = (input: WechatpayEventInput) => send(contentOf(input, clock()));
  /** TRANSACTION.* or REFUND.*; only the ID and the changes come from the input. */
  const about = (
    eventType: string,
    resource: JsonObject,
    { notificationId, changes }: { readonly notificationId?: string } & WechatpayChanges,
  ): WechatpayNotification =>
    event({
      eventType,
      originalType: eventType.startsWith('REFUND.') ? 'refund' : 'transaction',
      resource: { ...resource, ...changes },
      ...(notificationId === undefined ? {} : { notificationId }),
    });

  return {
    id: 'wechatpay',
    payment: (input) =>
      about('TRANSACTION.SUCCESS', paymentResource(options, input, 'SUCCESS'), input),
    failed: (input) =>
      about('TRANSACTION.FAIL', paymentResource(options, input, 'PAYERROR'), input),
    refund: (input) => {
      const status = input.status ?? 'SUCCESS';
      return about(`REFUND.${status}`, refundResource(options, input, status), input);
    },
    combined: (input) => about('TRANSACTION.SUCCESS', combinedResource(options, input), input),
    event,
    bytes: (body) => signBytes(body),
    resend: (notification, { reencrypt = false } = {}) =>
      reencrypt ? send(notification.content) : { ...notification, ...signBytes(notification.body) },
    forge: createForger(signBytes),
  };
}

type SignBytes = (body: Buffer, privateKey?: KeyObject) => SignedRequest;

function createForger(signBytes: SignBytes): WechatpaySigner['forge'] {
  let foreignKey: KeyObject | undefined;
  return (notification, kind = 'foreign_key') => {
    if (kind === 'changed_content') {
      return { ...notification, body: alterAfterSigning(notification.body) };
    }
    foreignKey ??= generateRsaKeyPair().privateKey;
    return signBytes(notification.body, foreignKey);
  };
}

function contentOf(input: WechatpayEventInput, now: Date): WechatpayContent {
  const { resource, originalType = 'transaction' } = input;
  return {
    id: input.notificationId ?? randomUUID(),
    eventType: input.eventType,
    originalType,
    associatedData: input.associatedData ?? originalType,
    resource: typeof resource === 'string' ? resource : JSON.stringify(resource),
    createdAt: now,
  };
}

function envelope(content: WechatpayContent, apiV3Key: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: content.id,
      create_time: beijingRfc3339(content.createdAt),
      resource_type: 'encrypt-resource',
      event_type: content.eventType,
      summary: content.originalType === 'refund' ? '退款通知' : '支付通知',
      resource: sealResource(content.resource, {
        apiV3Key,
        originalType: content.originalType,
        associatedData: content.associatedData,
      }),
    }),
    'utf8',
  );
}

/** Still valid JSON that decrypts: only the signature reveals it. */
function alterAfterSigning(body: Buffer): Buffer {
  const text = body.toString('utf8');
  const altered = text.replace('"summary":"', '"summary":"!');
  return altered === text ? Buffer.concat([body, Buffer.from(' ')]) : Buffer.from(altered, 'utf8');
}
