import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { randomApiKey } from '@payonce/testkit/signers/keys';
import {
  createWechatpayV2Signer,
  type WechatpayV2Signer,
} from '@payonce/testkit/signers/wechatpay-v2';

/**
 * A second merchant of the same installation, with a separate channel of API v2. Its key is a
 * shared secret, so that it can sign anything, even another merchant's trade.
 */
export const RIVAL = { merchant: 'rival', channel: 'sim-rival-v2' } as const;

const PAYEE = { appId: 'wx0000000000000009', merchantId: '1900000009' } as const;

/**
 * Adds the second merchant's channel to a channel file, and its endpoint if the first merchant has
 * one.
 * @param endpoint of the first merchant; the second merchant's endpoint has its address and secret
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
  const section = `  ${RIVAL.merchant}:
    merchant: ${RIVAL.merchant}
    url: ${endpoint.url}
    secrets:
      - file: ${secretFile}
`;
  const changed = text.replace(/^endpoints:\n/m, `${channel}endpoints:\n${section}`);
  if (changed === text) throw new Error(`${channelsFile} declares no endpoint`);
  writeFileSync(channelsFile, changed, { mode: 0o600 });
  return createWechatpayV2Signer({
    ...PAYEE,
    apiKey: readFileSync(keyFile, 'utf8'),
    signType: 'HMAC-SHA256',
  });
}
