import { z } from 'zod';
import { secretSource } from '../secret.js';

export const wechatpayV2Settings = z.strictObject({
  /** `mch_id`; in partner mode the partner's. */
  merchantId: z.string().regex(/^\d{1,32}$/),
  /**
   * Partner mode: the `sub_mch_id`s whose money this channel may announce. Empty: not a partner.
   */
  subMerchantIds: z.array(z.string().regex(/^\d{1,32}$/)).default([]),
  /** `appid`; in partner mode the sub-merchants' `sub_appid`s as well. */
  appIds: z.array(z.string().min(1)).min(1),
  apiKeys: z.array(secretSource).min(1),
  /**
   * The merchant chooses it with the order, and a notification need not repeat it. It is fixed
   * here, so that no message can downgrade the verifier to MD5.
   */
  signType: z.enum(['HMAC-SHA256', 'MD5']).default('HMAC-SHA256'),
});
export type WechatpayV2Settings = z.infer<typeof wechatpayV2Settings>;
