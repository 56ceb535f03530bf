import { namesOf } from '../signed-shape.js';

/**
 * Names of requests, the API's responses, addresses, and the parameters of apps and pages; each of
 * these messages has at least one. The key signs them too, and many pass through a buyer's browser
 * or contain a buyer's text.
 */
const FOREIGN = [
  // Addresses that sign a contract (委托代扣, papay/entrustweb and its kin).
  'notify_url',
  'return_app',
  'return_web',
  'timestamp',
  // Parameters of pages and apps (JSAPI, app, mini program), and links of native payment, mode 1.
  'appId',
  'nonceStr',
  'noncestr',
  'package',
  'paySign',
  'partnerId',
  'partnerid',
  'prepayid',
  'product_id',
  'signType',
  'timeStamp',
  'time_stamp',
  'long_url',
  // Requests: new orders, codes that the shop scans, refunds, transfers, red packets, bills.
  'auth_code',
  'bill_date',
  'body',
  'mch_billno',
  'op_user_id',
  'out_refund_no',
  'partner_trade_no',
  'refund_desc',
  'refund_fee',
  'spbill_create_ip',
  'time_expire',
  'time_start',
  // Responses: new orders, queries of orders, refunds and contracts, a payment taken back.
  'code_url',
  'contract_state',
  'mweb_url',
  'prepay_id',
  'recall',
  'refund_count',
  'refund_id',
  'short_url',
  'trade_state_desc',
];

/**
 * The names of a payment result and of a deduction's (pay.weixin.qq.com/doc/v2/partner/4011984734,
 * 委托代扣), and the deciding ones of a contract notice. An unlisted name may contain any party's text.
 */
export const SIGNED_NAMES = namesOf({
  always: [
    'appid',
    'mch_id',
    'out_trade_no',
    'result_code',
    'return_code',
    'total_fee',
    'transaction_id',
  ],
  anchors: ['bank_type', 'nonce_str', 'openid', 'time_end', 'trade_type'],
  optional: [
    'change_type',
    'contract_code',
    'contract_id',
    'err_code',
    'fee_type',
    'sub_appid',
    'sub_mch_id',
    'trade_state',
  ],
  texts: ['attach', 'device_info', 'err_code_des', 'promotion_detail', 'return_msg'],
  plain: [
    'cash_fee',
    'cash_fee_type',
    'coupon_count',
    'coupon_fee',
    'is_subscribe',
    'rate',
    'rate_value',
    'settlement_total_fee',
    'sign_type',
    'sub_is_subscribe',
    'sub_openid',
    'version',
  ],
  foreign: FOREIGN,
  plainPattern: /^coupon_(?:fee|id|type)_\d{1,3}$/,
});

/**
 * Names of a payment from its beginning to its end. No other signed message has `bank_type` before
 * its `mch_id` and `transaction_id` at its end. So no single text in it gives the whole chain (ADR
 * 15).
 */
export const WHOLE_PAYMENT = [
  'appid',
  'bank_type',
  'mch_id',
  'nonce_str',
  'out_trade_no',
  'result_code',
  'return_code',
  'time_end',
  'total_fee',
  'trade_type',
  'transaction_id',
] as const;

/**
 * The names that vary between sendings and say nothing about the trade; `sign_type` states how it
 * was signed.
 */
export function isOfSending(name: string): boolean {
  return name === 'nonce_str' || name === 'sign' || name === 'sign_type';
}
