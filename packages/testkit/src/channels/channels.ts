import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { writeFileAtomically } from '../machine/files.js';
import { type AlipaySigner, createAlipaySigner } from '../signers/alipay.js';
import type { Clock } from '../signers/request.js';
import { createWechatpaySigner, type WechatpaySigner } from '../signers/wechatpay.js';
import { createWechatpayV2Signer, type WechatpayV2Signer } from '../signers/wechatpay-v2.js';
import { ensureSimulatedKeys, readSimulatedKeys, type SimulatedKeys } from './channel-keys.js';

/** The payee of the simulation; no real merchant has these numbers. */
export const SIMULATED = {
  merchant: 'demo',
  alipay: { appId: '2021000000000001', sellerId: '2088000000000001' },
  wechat: { appId: 'wx0000000000000001', merchantId: '1900000001' },
} as const;

export interface SimulatedSigners {
  readonly 'sim-alipay': AlipaySigner;
  /** Signs with the platform certificate's key. */
  readonly 'sim-wechat': WechatpaySigner;
  readonly 'sim-wechat-v2': WechatpayV2Signer;
}
export type SimulatedChannel = keyof SimulatedSigners;

export interface SimulatedChannels {
  /** Absolute path of the channel file, in the format of `PAYONCE_CHANNELS_FILE`. */
  readonly channelsFile: string;
  readonly signers: SimulatedSigners;
  /**
   * Like `sim-wechat`, but signs with the `PUB_KEY_ID_` key that the channel lists beside the
   * certificate.
   */
  readonly wechatPublicKeySigner: WechatpaySigner;
}

/**
 * Writes the three simulated channels below `directory`: `channels.yaml`, `secrets/` (a merchant's
 * files) and `provider-keys/` (private keys of Alipay and WeChat, which no part of the product
 * reads). Files are 0600. Existing keys are kept, so that a second start signs with the same ones.
 */
export async function ensureSimulatedChannels(
  directory: string,
  clock?: Clock,
): Promise<SimulatedChannels> {
  const keys = await ensureSimulatedKeys(directory);
  writeFileAtomically(channelsFileIn(directory), channelFile(directory, keys));
  return assemble(directory, keys, clock);
}

/** Loads the files of `ensureSimulatedChannels`. @throws Error naming the missing file. */
export function loadSimulatedChannels(directory: string, clock?: Clock): SimulatedChannels {
  return assemble(directory, readSimulatedKeys(directory), clock);
}

function channelsFileIn(directory: string): string {
  return resolve(directory, 'channels.yaml');
}

function assemble(directory: string, keys: SimulatedKeys, clock?: Clock): SimulatedChannels {
  const time = clock ? { clock } : {};
  const { wechat, wechatPublicKey } = keys;
  const wechatSigner = (key: { privateKey: typeof wechat.privateKey; serial: string }) =>
    createWechatpaySigner({
      ...SIMULATED.wechat,
      ...time,
      apiV3Key: keys.apiV3Key,
      privateKey: key.privateKey,
      serial: key.serial,
    });
  return {
    channelsFile: channelsFileIn(directory),
    signers: {
      'sim-alipay': createAlipaySigner({ ...SIMULATED.alipay, ...time, ...keys.alipay }),
      'sim-wechat': wechatSigner(wechat),
      'sim-wechat-v2': createWechatpayV2Signer({
        ...SIMULATED.wechat,
        ...time,
        apiKey: keys.apiV2Key,
        signType: 'HMAC-SHA256',
      }),
    },
    wechatPublicKeySigner: wechatSigner(wechatPublicKey),
  };
}

function channelFile(directory: string, keys: SimulatedKeys): string {
  const secret = (name: string) => ({ file: resolve(directory, 'secrets', name) });
  const common = { merchant: SIMULATED.merchant, simulated: true };
  const { wechat } = SIMULATED;
  return stringify({
    channels: {
      'sim-alipay': {
        provider: 'alipay',
        ...common,
        appId: SIMULATED.alipay.appId,
        sellerIds: [SIMULATED.alipay.sellerId],
        publicKeys: [secret('sim-alipay-public.pem')],
        signType: 'RSA2',
      },
      'sim-wechat': {
        provider: 'wechatpay',
        ...common,
        merchantId: wechat.merchantId,
        appIds: [wechat.appId],
        apiV3Keys: [secret('sim-wechat-apiv3-key')],
        keys: {
          [keys.wechat.serial]: secret('sim-wechat-platform-cert.pem'),
          [keys.wechatPublicKey.serial]: secret('sim-wechat-public.pem'),
        },
      },
      'sim-wechat-v2': {
        provider: 'wechatpay-v2',
        ...common,
        merchantId: wechat.merchantId,
        appIds: [wechat.appId],
        apiKeys: [secret('sim-wechat-v2-key')],
        signType: 'HMAC-SHA256',
      },
    },
  });
}
