import { loadChannels } from '@payonce/core/config/channels';
import { jobIdFor, type NewJob, type NotificationJob, queuedBody } from '@payonce/core/queue/job';
import type { ContentRule } from '@payonce/providers/provider';
import { createAlipaySigner } from '@payonce/testkit/signers/alipay';
import { bareBase64, generateRsaKeyPair, type RsaKeyPair } from '@payonce/testkit/signers/keys';
import type { PaymentInput } from '@payonce/testkit/signers/request';

let pair: RsaKeyPair | undefined;

/** A merchant with one Alipay channel, and Alipay's private key for signing. */
export function makeShop() {
  pair ??= generateRsaKeyPair();
  const { privateKey, publicKey } = pair;
  const numbers = { appId: '2021000000000001', sellerId: '2088000000000001' };
  const signer = createAlipaySigner({ privateKey, ...numbers });
  const channels = loadChannels(
    `channels: { shop: { provider: alipay, merchant: tea, appId: "${numbers.appId}",
       sellerIds: ["${numbers.sellerId}"], publicKeys: [{ env: KEY }] } }`,
    { production: true, readSecret: () => bareBase64(publicKey) },
  );

  const made = (body: Buffer, rule: ContentRule) => {
    const receivedAt = new Date();
    const verified = channels.get('shop')?.provider.verify({ body, headers: {}, receivedAt }, rule);
    if (!verified?.ok) throw new Error('the test signs what is refused');
    const data: NotificationJob = {
      version: 3,
      provider: 'alipay',
      channel: 'shop',
      notificationId: verified.notificationId,
      receivedAt: receivedAt.toISOString(),
      ...queuedBody(body),
      headers: {},
    };
    return { data, digest: verified.digest };
  };
  /** The job that the gateway writes for these bytes. */
  const jobFor = (body: Buffer): NewJob => {
    const { data, digest } = made(body, 'text');
    return { id: jobIdFor(data, digest), data };
  };
  /** The data of a job from before version 2: no ID of the queue is bound to it. */
  const formerJobFor = (body: Buffer) => {
    const { data, digest } = made(body, 'former');
    return { ...data, version: 1, digest };
  };
  const payment = (input: Pick<PaymentInput, 'orderNumber'> & Partial<PaymentInput>) =>
    signer.payment({
      trade: `T${input.orderNumber}`,
      amount: 8_888n,
      paidAt: new Date(),
      ...input,
    });
  return { channels, signer, payment, jobFor, formerJobFor };
}

export type Shop = ReturnType<typeof makeShop>;

/**
 * The same job with a changed amount in its body: a possible act of anyone with write access to the
 * queue.
 */
export function tampered({ id, data }: NewJob): NewJob {
  const body = data.bodyText ?? '';
  const changed = body.replace('total_amount=88.88', 'total_amount=00.01');
  if (changed === body) throw new Error('nothing to tamper with');
  return { id, data: { ...data, bodyText: changed } };
}

/** The same job for an unknown channel. */
export function elsewhere({ id, data }: NewJob): NewJob {
  return { id, data: { ...data, channel: 'gone' } };
}
