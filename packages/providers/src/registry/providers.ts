import { alipay } from '../alipay/alipay.js';
import type { ProviderDefinition } from '../provider.js';
import { wechatpay } from '../wechatpay/wechatpay.js';
import { wechatpayV2 } from '../wechatpay-v2/wechatpay-v2.js';

/** Every provider, once. No other code enumerates providers. */
export const providers: readonly ProviderDefinition[] = [alipay, wechatpay, wechatpayV2];
