import type { SignerId } from '../signers/request.js';

/** Waits in seconds before the second, third, … sending of a notification that was not accepted. */
export type RetrySchedule = readonly number[];

const MINUTE = 60;
const HOUR = 3600;

/** 4m, 10m, 10m, 1h, 2h, 6h, 15h: eight sendings within 24h22m (Alipay, "异步通知"). */
const ALIPAY: RetrySchedule = [
  4 * MINUTE,
  10 * MINUTE,
  10 * MINUTE,
  1 * HOUR,
  2 * HOUR,
  6 * HOUR,
  15 * HOUR,
];

/**
 * 15s … 6h, 24h4m in all (pay.weixin.qq.com/doc/v2/partner/4011989265; v3 payments and refunds
 * likewise).
 */
const WECHAT: RetrySchedule = [
  15,
  15,
  30,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  1 * HOUR,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
];

/** The schedule on older pages of API v2, and for older merchants. */
export const WECHATPAY_V2_OLDER: RetrySchedule = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600];

export const RETRY_SCHEDULES: Readonly<Record<SignerId, RetrySchedule>> = {
  alipay: ALIPAY,
  wechatpay: WECHAT,
  'wechatpay-v2': WECHAT,
};
