/**
 * The payment network. Both WeChat adapters share one rail, because they share trade and refund
 * numbers.
 */
export type Rail = 'alipay' | 'wechat';
