import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { randomApiKey } from '@payonce/testkit/keys';
import { createWechatpayV2Signer, type WechatpayV2Signer } from '@payonce/testkit/wechatpay-v2';

/**
 * A second merchant of the same installation, with a channel of API v2 of its own. Its key is a shared
 * secret, so that it can sign whatever it wants: another merchant's trade, too.
 */
export const RIVAL = { merchant: 'rival', channel: 'sim-rival-v2' } as const;

const PAYEE = { appId: 'wx0000000000000009', merchantId: '1900000009' } as const;

/**
 * Adds the second merchant's channel, and its endpoint where the first one has one, to a channel file.
 * @param endpoint where the second merchant's system is told of its orders: the first one's, with its secret
 */
export function addRival(
  directory: string,
  channelsFile: string,
  endpoint: { readonly url: string; readonly secret: string },
): WechatpayV2Signer {
  const file = (name: string) => resolve(directory, 'secrets', name);
  const keyFile = file(`${RIVAL.channel}-key`);
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomApiKey(), { mode: 0o600 });
  const secretFile = file(`${basename(channelsFile, '.yaml')}-rival-secret`);
  writeFileSync(secretFile, endpoint.secret, { mode: 0o600 });
  const text = readFileSync(channelsFile, 'utf8');
  const channel = `  ${RIVAL.channel}:
    provider: wechatpay-v2
    merchant: ${RIVAL.merchant}
    simulated: true
    merchantId: "${PAYEE.merchantId}"
    appIds:
      - ${PAYEE.appId}
    apiKeys:
      - file: ${keyFile}
    signType: HMAC-SHA256
`;
  const told = `  ${RIVAL.merchant}:
    merchant: ${RIVAL.merchant}
    url: ${endpoint.url}
    secrets:
      - file: ${secretFile}
`;
  const changed = text.replace(/^endpoints:\n/m, `${channel}endpoints:\n${told}`);
  if (changed === text) throw new Error(`${channelsFile} declares no endpoint`);
  writeFileSync(channelsFile, changed, { mode: 0o600 });
  return createWechatpayV2Signer({
    ...PAYEE,
    apiKey: readFileSync(keyFile, 'utf8'),
    signType: 'HMAC-SHA256',
  });
}
