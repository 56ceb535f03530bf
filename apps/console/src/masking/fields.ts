/**
 * The visible fields of a provider's message, by name. An allow-list, because providers add fields
 * without notice: an unknown one is hidden until somebody has reviewed it. Payer IDs and names
 * (`openid`, `buyer_id`, `buyer_logon_id`, `payer`, …), free text of buyers and merchants
 * (`subject`, `body`, `attach`, `passback_params`), signatures and ciphertext are absent on
 * purpose.
 */
const SHOWN = new Set([
  // Alipay, asynchronous notify and platform messages
  'app_id',
  'auth_app_id',
  'charset',
  'gmt_close',
  'gmt_create',
  'gmt_payment',
  'gmt_refund',
  'invoice_amount',
  'buyer_pay_amount',
  'msg_method',
  'notify_id',
  'notify_time',
  'notify_type',
  'out_biz_no',
  'out_request_no',
  'out_trade_no',
  'point_amount',
  'receipt_amount',
  'refund_amount',
  'refund_fee',
  'refund_status',
  'seller_id',
  'send_back_fee',
  'sign_type',
  'total_amount',
  'trade_no',
  'trade_status',
  'utc_timestamp',
  'version',
  // WeChat Pay v2
  'appid',
  'bank_type',
  'cash_fee',
  'coupon_fee',
  'err_code',
  'fee_type',
  'mch_id',
  'result_code',
  'return_code',
  'settlement_total_fee',
  'sub_appid',
  'sub_mch_id',
  'time_end',
  'total_fee',
  'trade_type',
  'transaction_id',
  // WeChat Pay v3, the envelope; its content stays sealed here
  'create_time',
  'event_type',
  'id',
  'resource_type',
  'resource.algorithm',
  'resource.original_type',
]);

/** Headers that show which key was used and when; the signature and its nonce stay hidden. */
const SHOWN_HEADERS = new Set([
  'content-type',
  'wechatpay-serial',
  'wechatpay-signature-type',
  'wechatpay-timestamp',
]);

export const HIDDEN = '••••••';

/** Longer than any ID or amount of a provider; a longer value is something else. */
const MAX_SHOWN_CHARACTERS = 128;
/** More fields than any real message has; keeps a page small for any job. */
const MAX_FIELDS = 80;

/**
 * A value of an allowed field, if it looks like an ID, amount, status or time (printable ASCII).
 */
function shownValue(value: string): string {
  return value.length <= MAX_SHOWN_CHARACTERS && /^[\x20-\x7e]*$/.test(value) ? value : HIDDEN;
}

/** Every field by name, in order; the value only if the name is on the list. */
export function maskFields(fields: Iterable<readonly [string, string]>): Record<string, string> {
  const masked: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of fields) {
    if (++count > MAX_FIELDS) break;
    // A field's name comes from outside as well: an odd one is not shown either.
    if (!/^[\w.$-]{1,64}$/.test(name) || name === '__proto__') continue;
    masked[name] = SHOWN.has(name) ? shownValue(value) : HIDDEN;
  }
  return masked;
}

export function maskHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {};
  const masked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers).slice(0, MAX_FIELDS)) {
    const shown = SHOWN_HEADERS.has(name.toLowerCase()) && typeof value === 'string';
    masked[name.slice(0, 64)] = shown ? shownValue(value) : HIDDEN;
  }
  return masked;
}
