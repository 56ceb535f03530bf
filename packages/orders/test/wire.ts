/**
 * The providers' real messages, verified and decoded by the real adapters: verify, decode, apply.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readChannelFile } from '@payonce/core/config/channel-file';
import type { VerifiedNotification } from '@payonce/orders/notifications/records/notification';
import { ensureSimulatedChannels, type SimulatedChannel } from '@payonce/testkit/channels/channels';
import type { RefundInput, SignedRequest } from '@payonce/testkit/signers/request';
import { minute } from './database-support.js';

/** The time of receipt of everything; it determines API v3's window. */
const RECEIVED_AT = minute(120);

const folder = mkdtempSync(join(tmpdir(), 'payonce-wire-'));
const simulated = await ensureSimulatedChannels(folder, () => RECEIVED_AT);
const channels = readChannelFile({ PAYONCE_CHANNELS_FILE: simulated.channelsFile });
rmSync(folder, { recursive: true });

export const {
  'sim-alipay': alipay,
  'sim-wechat': wechat,
  'sim-wechat-v2': wechatV2,
} = simulated.signers;

/** Order A1 of 88.88 yuan of the simulated merchant, as registered and as paid. */
export const ORDER = { merchant: 'demo', number: 'A1', amount: 8888n, currency: 'CNY' };
export const PAYMENT = { orderNumber: 'A1', trade: 'T1', amount: 8888n, paidAt: minute(1) };

/** A refund of the payment above, in the form of both rails: alone, and as a running total. */
export function refund(
  refundId: string,
  refundAmount: bigint,
  refundedTotal = refundAmount,
  changes: Partial<RefundInput> = {},
): RefundInput {
  const { orderNumber, trade, amount, paidAt } = PAYMENT;
  const full = refundedTotal === amount;
  const refundedAt = minute(9);
  const told = { orderNumber, trade, amount, refundId, refundAmount, refundedTotal, refundedAt };
  return { ...told, full, paidAt, ...changes };
}

/** As the worker processes a queued request. @throws when the request is refused */
function received(channel: SimulatedChannel, request: SignedRequest): VerifiedNotification {
  const { provider, merchant } = channels.get(channel) ?? {};
  const { body, headers } = request;
  const verified = provider?.verify({ body, headers, receivedAt: RECEIVED_AT });
  if (provider === undefined || merchant === undefined || !verified?.ok) {
    throw new Error(`the signer of ${channel} made what its adapter refuses`);
  }
  const { notificationId, digest, authenticity } = verified;
  return {
    provider: provider.id,
    channel,
    merchant,
    notificationId,
    digest,
    former: provider.formerIdentity(verified.request),
    authenticity,
    receivedAt: RECEIVED_AT,
    body,
    headers,
    events: provider.decode(verified.request),
  };
}

export const fromAlipay = (request: SignedRequest) => received('sim-alipay', request);
export const fromWechat = (request: SignedRequest) => received('sim-wechat', request);
export const fromWechatV2 = (request: SignedRequest) => received('sim-wechat-v2', request);
