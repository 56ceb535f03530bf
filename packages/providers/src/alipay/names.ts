import { namesOf } from '../signed-shape.js';

/**
 * The names of a trade notice (opendocs open/203/105286 and open/270/105902; published notices of
 * Alipay's SDKs). An unlisted name may contain any party's text.
 */
export const TRADE_NAMES = namesOf({
  always: [
    'app_id',
    'notify_id',
    'notify_type',
    'out_trade_no',
    'seller_id',
    'total_amount',
    'trade_no',
    'trade_status',
  ],
  anchors: ['charset', 'gmt_create', 'notify_time'],
  optional: [
    'auth_app_id',
    'gmt_close',
    'gmt_payment',
    'gmt_refund',
    'method',
    'msg_method',
    'refund_fee',
    'trans_currency',
  ],
  texts: ['body', 'passback_params', 'subject'],
  plain: [
    'async_payment_mode',
    'buyer_id',
    'buyer_logon_id',
    'buyer_open_id',
    'buyer_pay_amount',
    'discount_amount',
    'fund_bill_list',
    'invoice_amount',
    'mdiscount_amount',
    'open_id',
    'out_biz_no',
    'pay_amount',
    'pay_currency',
    'point_amount',
    'product_code',
    'receipt_amount',
    'receipt_currency_type',
    'refund_status',
    'seller_email',
    'send_back_fee',
    'settle_amount',
    'settle_currency',
    'settle_trans_rate',
    'sign_type',
    'trade_settle_info',
    'trans_amount',
    'trans_pay_rate',
    'version',
    'voucher_detail_list',
  ],
  foreign: [],
});

/**
 * Each trade notice has all of these. The parameters of a return address lack `notify_id`, which
 * sorts before their order number. They also lack `trade_status`, which sorts after their trade
 * number. So no single text contains both.
 */
export const WHOLE_TRADE = [
  'app_id',
  'notify_id',
  'notify_type',
  'out_trade_no',
  'total_amount',
  'trade_no',
  'trade_status',
] as const;

const DATE_TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

/**
 * The names that vary between sendings and say nothing about the trade. Alipay resends a notice
 * with another `notify_time` (platform messages: `utc_timestamp`) and `sign`.
 */
export function isOfSending(name: string, value: string): boolean {
  switch (name) {
    case 'sign':
    case 'sign_type':
      return true;
    case 'notify_time':
      return DATE_TIME.test(value);
    case 'utc_timestamp':
      return /^\d{1,16}$/.test(value);
    default:
      return false;
  }
}
