/** Where the money moves. Both WeChat adapters share it, because they share trade and refund numbers. */
export type Rail = 'alipay' | 'wechat';
