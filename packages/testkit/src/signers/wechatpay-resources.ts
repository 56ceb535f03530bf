import type { PaymentInput, RefundInput } from './request.js';
import { beijingRfc3339 } from './wire.js';

/**
 * The content of a v3 notification before it is encrypted, as plain JSON values
 * (docs/providers/wechatpay.md, "Payment content" and "Refund content").
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The payee. With `subMerchantId` the messages have the partner's (服务商) form. */
export interface WechatPayee {
  readonly appId: string;
  readonly merchantId: string;
  readonly subAppId?: string;
  readonly subMerchantId?: string;
}

export type WechatRefundStatus = 'SUCCESS' | 'CLOSED' | 'ABNORMAL';

const PAYER = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

export function paymentResource(
  payee: WechatPayee,
  input: PaymentInput,
  state: string,
): JsonObject {
  const fen = asNumber(input.amount);
  return {
    ...payeeFields(payee),
    out_trade_no: input.orderNumber,
    transaction_id: input.trade,
    trade_type: 'JSAPI',
    trade_state: state,
    trade_state_desc: state === 'SUCCESS' ? '支付成功' : '支付失败',
    bank_type: 'OTHERS',
    attach: input.text ?? '',
    success_time: beijingRfc3339(input.paidAt),
    payer: payee.subMerchantId
      ? { sp_openid: PAYER, ...(payee.subAppId ? { sub_openid: PAYER } : {}) }
      : { openid: PAYER },
    amount: { total: fen, payer_total: fen, currency: 'CNY', payer_currency: 'CNY' },
  };
}

function payeeFields(payee: WechatPayee): JsonObject {
  if (!payee.subMerchantId) return { appid: payee.appId, mchid: payee.merchantId };
  return {
    sp_appid: payee.appId,
    sp_mchid: payee.merchantId,
    ...(payee.subAppId ? { sub_appid: payee.subAppId } : {}),
    sub_mchid: payee.subMerchantId,
  };
}

/**
 * `amount.refund` is this refund alone. It names no app; the partner's form names both merchants.
 */
export function refundResource(
  payee: WechatPayee,
  input: RefundInput,
  status: WechatRefundStatus,
): JsonObject {
  const merchant = payee.subMerchantId
    ? { sp_mchid: payee.merchantId, sub_mchid: payee.subMerchantId }
    : { mchid: payee.merchantId };
  return {
    ...merchant,
    out_trade_no: input.orderNumber,
    transaction_id: input.trade,
    out_refund_no: `R${input.refundId}`,
    refund_id: input.refundId,
    refund_status: status,
    ...(status === 'SUCCESS' ? { success_time: beijingRfc3339(input.refundedAt) } : {}),
    user_received_account: '支付用户零钱',
    amount: {
      total: asNumber(input.amount),
      refund: asNumber(input.refundAmount),
      payer_total: asNumber(input.amount),
      payer_refund: asNumber(input.refundAmount),
    },
  };
}

export interface CombinedInput {
  readonly combinedOrderNumber: string;
  readonly paidAt: Date;
  readonly orders: readonly (Pick<PaymentInput, 'orderNumber' | 'trade' | 'amount'> & {
    /** The payee of this part; by default the signer's merchant. */
    readonly merchantId?: string;
    readonly state?: string;
  })[];
  readonly notificationId?: string;
}

/** Has other names than a single order: `total_amount`, `payer_amount`. */
export function combinedResource(payee: WechatPayee, input: CombinedInput): JsonObject {
  return {
    combine_appid: payee.appId,
    combine_mchid: payee.merchantId,
    combine_out_trade_no: input.combinedOrderNumber,
    scene_info: { device_id: 'POS1:1' },
    combine_payer_info: { openid: PAYER },
    sub_orders: input.orders.map((order) => ({
      mchid: order.merchantId ?? payee.merchantId,
      ...(payee.subMerchantId ? { sub_mchid: payee.subMerchantId } : {}),
      trade_type: 'JSAPI',
      trade_state: order.state ?? 'SUCCESS',
      bank_type: 'OTHERS',
      attach: '',
      success_time: beijingRfc3339(input.paidAt),
      transaction_id: order.trade,
      out_trade_no: order.orderNumber,
      amount: {
        total_amount: asNumber(order.amount),
        payer_amount: asNumber(order.amount),
        currency: 'CNY',
        payer_currency: 'CNY',
      },
    })),
  };
}

function asNumber(fen: bigint): number {
  const number = Number(fen);
  if (!Number.isSafeInteger(number)) throw new RangeError('JSON cannot carry this amount exactly');
  return number;
}
