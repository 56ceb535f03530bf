import type { PaymentProvider, ProviderDefinition } from '../provider.js';
import { decodeAlipay } from './decode.js';
import { Layouts } from './layout.js';
import { replyToAlipay } from './reply.js';
import { type AlipaySettings, alipaySettings, loadAlipayKeys } from './settings.js';
import { type AlipayMessage, formerIdentityOf, verifyAlipay } from './verify.js';

/** Asynchronous notices and platform messages of Alipay's open platform. */
export const alipay: ProviderDefinition<AlipaySettings> = {
  id: 'alipay',
  settings: alipaySettings,
  reply: replyToAlipay,
  create(settings, readSecret): PaymentProvider<AlipayMessage> {
    const keys = loadAlipayKeys(settings, readSecret);
    const layouts = new Layouts();
    return {
      id: 'alipay',
      rail: 'alipay',
      // The body contains all that is signed.
      signatureHeaders: [],
      judgedHeaders: [],
      keys: keys.map(({ info }) => info),
      verify: (request, rule = 'text') =>
        verifyAlipay(keys, settings.signType, layouts, request, rule),
      formerIdentity: ({ message }) => formerIdentityOf(message),
      decode: ({ message }) => [decodeAlipay(settings, message)],
    };
  },
};
