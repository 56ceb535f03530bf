import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SIMULATED } from '@payonce/testkit/channels/channels';
import { generateRsaKeyPair } from '@payonce/testkit/signers/keys';
import { Aes, Decorator, Rsa } from 'wechatpay-axios-plugin';
import NodeV3 from 'wechatpay-node-v3';
import { wechatpayPayments } from '../requests.js';
import type { Stage } from '../stage.js';

interface Envelope {
  readonly resource: {
    readonly ciphertext: string;
    readonly nonce: string;
    readonly associated_data: string;
  };
}

/** Three implementations verify and open one message. */
export async function wechatpaySides({ channels, signers }: Stage) {
  const provider = channels.get('sim-wechat')?.provider;
  const [request] = wechatpayPayments(signers, 1, 1_024);
  if (!provider || !request) throw new Error('the simulated channels have no sim-wechat');
  const { headers } = request;
  const body = Buffer.from(request.body, 'utf8');
  const receivedAt = new Date();
  const secrets = join(dirname(signers.channelsFile), 'secrets');
  const pem = readFileSync(join(secrets, 'sim-wechat-platform-cert.pem'), 'utf8');
  const apiV3Key = readFileSync(join(secrets, 'sim-wechat-apiv3-key'), 'utf8').trim();
  const serial = headers['wechatpay-serial'] ?? '';

  // As in its constructor: the key is parsed once.
  const certs = { [serial]: Rsa.from(pem, 'public') };
  const verifier = Decorator.responseVerifier(certs);
  const pay = await nodeV3(serial, pem, apiV3Key);
  return {
    ours: () => provider.verify({ body, headers, receivedAt }).ok,
    axiosPlugin: () => {
      const text = body.toString('utf8');
      if (verifier.call({}, text, { ...headers }, 200) instanceof Error) return false;
      const { ciphertext, nonce, associated_data } = (JSON.parse(text) as Envelope).resource;
      return isPaid(JSON.parse(Aes.AesGcm.decrypt(ciphertext, apiV3Key, nonce, associated_data)));
    },
    nodeV3: async () => {
      const text = body.toString('utf8');
      const verified = await pay.verifySign({
        timestamp: headers['wechatpay-timestamp'] ?? '',
        nonce: headers['wechatpay-nonce'] ?? '',
        serial,
        signature: headers['wechatpay-signature'] ?? '',
        body: text,
      });
      if (!verified) return false;
      const { ciphertext, nonce, associated_data } = (JSON.parse(text) as Envelope).resource;
      return isPaid(pay.decipher_gcm(ciphertext, associated_data, nonce));
    },
  };
}

function isPaid(resource: unknown): boolean {
  return (resource as { readonly trade_state?: string }).trade_state === 'SUCCESS';
}

/** It normally fetches its certificates from WeChat Pay; here it gets the signing one directly. */
async function nodeV3(serial: string, pem: string, apiV3Key: string): Promise<NodeV3> {
  const pay = new NodeV3({
    appid: SIMULATED.wechat.appId,
    mchid: SIMULATED.wechat.merchantId,
    publicKey: Buffer.from(pem),
    // For signing requests, of which there are none here.
    privateKey: Buffer.from(generateRsaKeyPair().privatePem),
    key: apiV3Key,
  });
  const nonce = 'a'.repeat(12);
  const sealed = {
    ciphertext: Aes.AesGcm.encrypt(pem, apiV3Key, nonce, ''),
    nonce,
    associated_data: '',
  };
  const answer = { data: [{ serial_no: serial, encrypt_certificate: sealed }] };
  const refuse = () => Promise.reject(new Error('nothing is sent from here'));
  pay.createHttp({
    post: refuse,
    upload: refuse,
    get: async () => ({ status: 200, data: answer }),
  });
  return pay;
}
