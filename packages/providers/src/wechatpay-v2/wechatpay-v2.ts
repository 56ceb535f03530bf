import type { PaymentProvider, ProviderDefinition } from '../provider.js';
import { decode } from './decode.js';
import { formerIdentityOf } from './former.js';
import { readKeys } from './keys.js';
import type { WechatpayV2Message } from './message.js';
import { reply } from './reply.js';
import { type WechatpayV2Settings, wechatpayV2Settings } from './settings.js';
import { verify } from './verify.js';

/** WeChat Pay API v2: XML, signed with a shared key. New merchants use API v3 (`wechatpay`). */
export const wechatpayV2: ProviderDefinition<WechatpayV2Settings> = {
  id: 'wechatpay-v2',
  settings: wechatpayV2Settings,
  maxBodyBytes: 64 * 1024,
  create(settings, readSecret): PaymentProvider<WechatpayV2Message> {
    const apiKeys = readKeys(settings, readSecret);
    return {
      id: 'wechatpay-v2',
      rail: 'wechat',
      signatureHeaders: [], // everything that counts is in the body
      gatewayOnlyHeaders: [],
      keys: apiKeys.map(({ name, retiredAt }) => ({ name, expiresAt: null, retiredAt })),
      verify: (request, rule = 'text') =>
        verify({ signType: settings.signType, apiKeys }, settings, request, rule),
      formerIdentity: ({ message }) => formerIdentityOf(message),
      decode: ({ message }) => decode(settings, message),
    };
  },
  reply,
};
