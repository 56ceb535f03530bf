import type { PaymentProvider, ProviderDefinition } from '../provider.js';
import { decode } from './decode.js';
import { gatewayOnlyHeaders, signatureHeaders } from './headers.js';
import { readKeys } from './keys.js';
import { reply } from './reply.js';
import { type WechatpaySettings, wechatpaySettings } from './settings.js';
import { verify, type WechatpayMessage } from './verify.js';

/** WeChat Pay API v3. */
export const wechatpay: ProviderDefinition<WechatpaySettings> = {
  id: 'wechatpay',
  settings: wechatpaySettings,
  maxBodyBytes: 256 * 1024,
  reply,
  create(settings, readSecret) {
    const keys = readKeys(settings, readSecret);
    const provider: PaymentProvider<WechatpayMessage> = {
      id: 'wechatpay',
      rail: 'wechat',
      signatureHeaders,
      gatewayOnlyHeaders,
      keys: keys.infos,
      verify: (request) => verify(keys, settings.timestampToleranceSeconds, request),
      // The opened resource is authenticated whole: there is one rule.
      formerIdentity: () => null,
      decode: (request) => decode(settings, request.message),
    };
    return provider;
  },
};
