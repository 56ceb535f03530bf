import type { CurrentChannels } from '@payonce/core/config/live-channels';
import { isReady } from '@payonce/core/queue/notification-queue';
import type { OpenedQueue } from '@payonce/core/queue/open-queue';
import type { Metrics } from '@payonce/core/runtime/metrics';
import { Gauge } from 'prom-client';

/** Gauges that are computed on each scrape. */
export function watchQueueAndKeys(
  metrics: Metrics,
  { queue, stores, current }: OpenedQueue,
  channels: CurrentChannels,
): void {
  new Gauge({
    name: 'payonce_gateway_in_flight',
    help: 'Genuine notifications that wait for a store now.',
    registers: [metrics],
    collect() {
      this.set(queue.inFlight);
    },
  });
  new Gauge({
    name: 'payonce_gateway_queue_current',
    help: '1 for each store that gets new notifications.',
    labelNames: ['queue'] as const,
    registers: [metrics],
    collect() {
      this.reset();
      for (const name of current()) this.set({ queue: name }, 1);
    },
  });
  new Gauge({
    name: 'payonce_gateway_queue_ready',
    help: '1 when the store takes notifications, 0 when it does not.',
    labelNames: ['queue'] as const,
    registers: [metrics],
    collect() {
      for (const store of stores) this.set({ queue: store.name }, isReady(store) ? 1 : 0);
    },
  });
  new Gauge({
    name: 'payonce_gateway_key_expiry_timestamp_seconds',
    help: 'When a certificate of a channel expires, in Unix time.',
    labelNames: ['channel', 'key'] as const,
    registers: [metrics],
    collect() {
      this.reset();
      for (const { key: channel, provider } of channels().values()) {
        for (const { name, expiresAt, retiredAt } of provider.keys) {
          if (expiresAt && !retiredAt) {
            this.set({ channel, key: name }, expiresAt.getTime() / 1_000);
          }
        }
      }
    },
  });
}
