import type { Channels } from '@payonce/core/config/channels';
import { describeState, type NotificationQueue } from '@payonce/core/queue/notification-queue';
import type { GatewayState } from '@payonce/core/queue/report';
import type { ShardedQueue } from '@payonce/core/queue/sharded-queue';
import type { GatewayMetrics } from './metrics/gateway-metrics.js';

/** The present state of the gateway for its reports: keys by name and date, never by value. */
export async function gatewayState(
  stores: readonly NotificationQueue[],
  channels: Channels,
  { clockSkew }: Pick<GatewayMetrics, 'clockSkew'>,
): Promise<GatewayState> {
  const { values } = await clockSkew.get();
  return {
    stores: stores.map(({ name, state }) => ({ name, state: describeState(state) })),
    channels: [...channels.values()].map(({ key, provider }) => ({
      channel: key,
      provider: provider.id,
      keys: provider.keys.map(({ name, expiresAt, retiredAt }) => ({
        name,
        expiresAt: expiresAt?.toISOString() ?? null,
        retired: retiredAt !== null,
      })),
    })),
    clockSkewSeconds: Object.fromEntries(
      values.map(({ labels, value }) => [String(labels.channel), value]),
    ),
  };
}

/** For readiness: the whole queue, and its stores if there are several. */
export function readinessParts(
  queue: Pick<ShardedQueue, 'state'>,
  stores: readonly NotificationQueue[],
): Record<string, string> {
  const parts = stores.length > 1 ? stores.map(({ name, state }) => [name, state] as const) : [];
  const all = [['queue', queue.state] as const, ...parts];
  return Object.fromEntries(all.map(([name, state]) => [name, describeState(state)]));
}
