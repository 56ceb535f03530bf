import { randomApiKey } from './keys.js';
import {
  type Clock,
  type Fields,
  type ForgeryKind,
  type PaymentInput,
  type ProviderSigner,
  type RefundInput,
  type SignedNotification,
  type SignedRequest,
  withFields,
} from './request.js';
import {
  sealReqInfo,
  type WechatV2SignType,
  wechatV2Request,
  wechatV2Sign,
  wechatV2Xml,
} from './wechatpay-v2-wire.js';
import { beijingDigits, beijingTime, randomText } from './wire.js';

export interface WechatpayV2SignerOptions {
  readonly appId: string;
  readonly merchantId: string;
  readonly subAppId?: string;
  readonly subMerchantId?: string;
  readonly apiKey: string;
  readonly signType?: WechatV2SignType;
  /**
   * Real notifications may omit `sign_type`, and MD5 ones usually do; by default HMAC-SHA256 ones
   * state it.
   */
  readonly statesSignType?: boolean;
  /** No field of v2 states the time of sending; kept so that all signers have the same options. */
  readonly clock?: Clock;
}

/** Without `sign` and `nonce_str`, which are new in each sending. */
export type WechatpayV2Content =
  | { readonly kind: 'signed'; readonly fields: Fields }
  | { readonly kind: 'encrypted'; readonly fields: Fields; readonly reqInfo: string };

export type WechatpayV2Notification = SignedNotification<WechatpayV2Content>;

/** Further or different fields; `changes` also takes empty values. */
export interface WechatpayV2Changes {
  readonly changes?: Fields;
}

/** CHANGE is v3's ABNORMAL, REFUNDCLOSE is v3's CLOSED. */
export type WechatV2RefundStatus = 'SUCCESS' | 'CHANGE' | 'REFUNDCLOSE';

export interface WechatpayV2Signer extends ProviderSigner<WechatpayV2Content> {
  readonly id: 'wechatpay-v2';
  payment(input: PaymentInput & WechatpayV2Changes): WechatpayV2Notification;
  /** return_code SUCCESS, result_code FAIL. */
  failed(input: PaymentInput & WechatpayV2Changes): WechatpayV2Notification;
  /** Encrypted `req_info` and no signature. `changes` apply to the encrypted fields. */
  refund(
    input: RefundInput & WechatpayV2Changes & { readonly status?: WechatV2RefundStatus },
  ): WechatpayV2Notification;
  /** Exactly these fields, plus `nonce_str` and `sign`, whatever they mean. */
  fields(fields: Fields): WechatpayV2Notification;
  /** Exactly this text encrypted as `req_info`. */
  reqInfo(plaintext: string): WechatpayV2Notification;
}

/** Signs like WeChat Pay's API v2 (docs/providers/wechatpay-v2.md). */
export function createWechatpayV2Signer(options: WechatpayV2SignerOptions): WechatpayV2Signer {
  const signType = options.signType ?? 'HMAC-SHA256';
  const send = (content: WechatpayV2Content, apiKey = options.apiKey): WechatpayV2Notification => ({
    ...wechatV2Request(wechatV2Xml(wireFields(content, apiKey, signType))),
    notificationId: null,
    content,
  });
  const signed = (fields: Fields): WechatpayV2Notification => send({ kind: 'signed', fields });
  const encrypted = (reqInfo: string): WechatpayV2Notification =>
    send({
      kind: 'encrypted',
      fields: [['return_code', 'SUCCESS'], ...payeeFields(options)],
      reqInfo,
    });

  return {
    id: 'wechatpay-v2',
    payment: (input) =>
      signed(withFields(paymentFields(options, input, 'SUCCESS'), input.changes ?? [])),
    failed: (input) =>
      signed(withFields(paymentFields(options, input, 'FAIL'), input.changes ?? [])),
    refund(input) {
      const fields = withFields(
        refundFields(input, input.status ?? 'SUCCESS'),
        input.changes ?? [],
      );
      return encrypted(wechatV2Xml(fields, 'root'));
    },
    fields: signed,
    reqInfo: encrypted,
    resend: ({ content }) => send(content),
    forge(notification: WechatpayV2Notification, kind: ForgeryKind = 'foreign_key'): SignedRequest {
      if (kind === 'foreign_key') return send(notification.content, randomApiKey());
      return { ...notification, body: alterAfterSigning(notification) };
    },
  };
}

function wireFields(
  content: WechatpayV2Content,
  apiKey: string,
  signType: WechatV2SignType,
): Fields {
  const fields: Fields = [...content.fields, ['nonce_str', randomText(32)]];
  return content.kind === 'signed'
    ? [...fields, ['sign', wechatV2Sign(fields, apiKey, signType)]]
    : [...fields, ['req_info', sealReqInfo(content.reqInfo, apiKey)]];
}

function payeeFields(options: WechatpayV2SignerOptions): Fields {
  return [
    ['appid', options.appId],
    ['mch_id', options.merchantId],
    ...(options.subAppId ? [['sub_appid', options.subAppId] as const] : []),
    ...(options.subMerchantId ? [['sub_mch_id', options.subMerchantId] as const] : []),
  ];
}

function paymentFields(
  options: WechatpayV2SignerOptions,
  input: PaymentInput,
  result: 'SUCCESS' | 'FAIL',
): Fields {
  const signType = options.signType ?? 'HMAC-SHA256';
  const statesSignType = options.statesSignType ?? signType === 'HMAC-SHA256';
  return [
    ...payeeFields(options),
    ['attach', input.text ?? ''],
    ['bank_type', 'OTHERS'],
    ['cash_fee', String(input.amount)],
    ['fee_type', 'CNY'],
    ['is_subscribe', 'N'],
    ['openid', 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'],
    ['out_trade_no', input.orderNumber],
    ['result_code', result],
    ['return_code', 'SUCCESS'],
    ['time_end', beijingDigits(input.paidAt)],
    ['total_fee', String(input.amount)],
    ['trade_type', 'JSAPI'],
    ['transaction_id', input.trade],
    ...(statesSignType ? [['sign_type', signType] as const] : []),
  ];
}

function refundFields(input: RefundInput, status: WechatV2RefundStatus): Fields {
  return [
    ['out_refund_no', `R${input.refundId}`],
    ['out_trade_no', input.orderNumber],
    ['refund_account', 'REFUND_SOURCE_RECHARGE_FUNDS'],
    ['refund_fee', String(input.refundAmount)],
    ['refund_id', input.refundId],
    ['refund_recv_accout', '支付用户零钱'],
    ['refund_request_source', 'API'],
    ['refund_status', status],
    ['settlement_refund_fee', String(input.refundAmount)],
    ['settlement_total_fee', String(input.amount)],
    ['success_time', status === 'SUCCESS' ? beijingTime(input.refundedAt) : ''],
    ['total_fee', String(input.amount)],
    ['transaction_id', input.trade],
  ];
}

/**
 * Adds a field to a payment. Damages the last cipher block of a refund (no padding or no end tag is
 * left).
 */
function alterAfterSigning({ body, content }: WechatpayV2Notification): Buffer {
  const text = body.toString('utf8');
  if (content.kind === 'signed') {
    return Buffer.from(text.replace('</xml>', '<device_info><![CDATA[9]]></device_info>\n</xml>'));
  }
  const [, sealed = ''] = /<req_info><!\[CDATA\[(.*?)\]\]>/.exec(text) ?? [];
  const damaged = Buffer.from(sealed, 'base64');
  const last = damaged.length - 1;
  damaged[last] = (damaged[last] ?? 0) ^ 1;
  return Buffer.from(text.replace(sealed, damaged.toString('base64')), 'utf8');
}
