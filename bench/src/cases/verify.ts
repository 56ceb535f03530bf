import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'node:querystring';
import { SIMULATED } from '@payonce/testkit/channels/channels';
import { AlipaySdk } from 'alipay-sdk';
import { compare } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Case } from './case.js';
import { wechatpaySides } from './verify-wechatpay.js';

/** Iterations between two reads of the clock, each of which costs a microsecond. */
const STRIDE = 100;

export const verifyAlipay: Case = {
  name: 'verify.alipay',
  does: "verifications per second of one RSA2 notification, against alipay-sdk's checkNotifySignV2",
  async measure(stage) {
    const { ours, fields, publicKeyText } = alipayNotice(stage);
    const sdk = new AlipaySdk({
      appId: SIMULATED.alipay.appId,
      // For signing requests, of which there are none here; the constructor requires one.
      privateKey: '-',
      alipayPublicKey: publicKeyText,
    });
    return compare(stage, {
      name: 'verify.alipay',
      unit: 'verified/cpu-s',
      ours: perSecond(stage, ours),
      // It gets the result of a framework's parser; ours begins with the bytes.
      others: { 'alipay-sdk': perSecond(stage, () => sdk.checkNotifySignV2(fields)) },
    });
  },
};

export const verifyAlipayFloor: Case = {
  name: 'verify.alipay.floor',
  does: 'the same, against crypto.verify alone',
  async measure(stage) {
    const { ours, fields, publicKeyText } = alipayNotice(stage);
    const key = createPublicKey({
      key: Buffer.from(publicKeyText, 'base64'),
      format: 'der',
      type: 'spki',
    });
    const signature = Buffer.from(fields.sign ?? '', 'base64');
    const signed = Object.keys(fields)
      .filter((name) => name !== 'sign' && name !== 'sign_type')
      .sort()
      .map((name) => `${name}=${fields[name]}`)
      .join('&');
    const text = Buffer.from(signed, 'utf8');
    return compare(stage, {
      name: 'verify.alipay.floor',
      unit: 'verified/cpu-s',
      ours: perSecond(stage, ours),
      others: {
        'crypto.verify': perSecond(stage, () => verify('sha256', text, key, signature)),
      },
    });
  },
};

export const verifyWechatpay: Case = {
  name: 'verify.wechatpay',
  does: 'v3 notifications verified and decrypted per second, against the faster SDK doing both',
  async measure(stage) {
    const { ours, axiosPlugin, nodeV3 } = await wechatpaySides(stage);
    return compare(stage, {
      name: 'verify.wechatpay',
      unit: 'verified/cpu-s',
      ours: perSecond(stage, ours),
      others: {
        'wechatpay-axios-plugin': perSecond(stage, axiosPlugin),
        'wechatpay-node-v3': perSecond(stage, nodeV3),
      },
    });
  },
};

function alipayNotice({ channels, requests, signers }: Stage) {
  const provider = channels.get('sim-alipay')?.provider;
  const body = Buffer.from(requests()[0]?.body ?? '', 'utf8');
  const secrets = join(dirname(signers.channelsFile), 'secrets');
  const pem = readFileSync(join(secrets, 'sim-alipay-public.pem'), 'utf8');
  const receivedAt = new Date();
  return {
    ours: () => provider?.verify({ body, headers: {}, receivedAt }).ok === true,
    fields: parse(body.toString('utf8')) as Record<string, string>,
    publicKeyText: pem.replace(/-----[A-Z ]+-----|\s/g, ''),
  };
}

/**
 * Uses processor time, which other load on the machine does not affect.
 * @param verifies one genuine message; a refusal ends the run, since it may cost less
 */
function perSecond(
  { scale }: Stage,
  verifies: () => boolean | Promise<boolean>,
): () => Promise<number> {
  return async () => {
    for (let count = 0; count < STRIDE * 10; count += 1) await verifies();
    const startedAt = process.cpuUsage();
    let count = 0;
    let usedMs = 0;
    while (usedMs < scale.verifyMs) {
      for (let index = 0; index < STRIDE; index += 1) {
        const verdict = verifies();
        if (verdict !== true && !(await verdict)) throw new Error('a genuine message is refused');
      }
      count += STRIDE;
      const { user, system } = process.cpuUsage(startedAt);
      usedMs = (user + system) / 1_000;
    }
    return count / (usedMs / 1_000);
  };
}
