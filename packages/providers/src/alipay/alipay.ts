import type { PaymentProvider, ProviderDefinition } from '../provider.js';
import { decode } from './decode.js';
import { readKeys } from './keys.js';
import { Layouts } from './layout.js';
import { reply } from './reply.js';
import { type AlipaySettings, alipaySettings } from './settings.js';
import { type AlipayMessage, formerIdentityOf, verify } from './verify.js';

/** Asynchronous notices and platform messages of Alipay's open platform. */
export const alipay: ProviderDefinition<AlipaySettings> = {
  id: 'alipay',
  settings: alipaySettings,
  maxBodyBytes: 128 * 1024,
  reply,
  create(settings, readSecret): PaymentProvider<AlipayMessage> {
    const keys = readKeys(settings, readSecret);
    const layouts = new Layouts();
    return {
      id: 'alipay',
      rail: 'alipay',
      // The body contains all that is signed.
      signatureHeaders: [],
      gatewayOnlyHeaders: [],
      keys: keys.map(({ info }) => info),
      verify: (request, rule = 'text') => verify(keys, settings.signType, layouts, request, rule),
      formerIdentity: ({ message }) => formerIdentityOf(message),
      decode: ({ message }) => [decode(settings, message)],
    };
  },
};
