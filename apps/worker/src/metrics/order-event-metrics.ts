import type { Metrics } from '@payonce/core/runtime/metrics';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { countDeliveries } from '@payonce/orders/deliveries/counts';
import { Counter, Gauge } from 'prom-client';
import { inTime } from './in-time.js';

export type DeliveryMetrics = ReturnType<typeof createDeliveryMetrics>;

/** Metrics of the delivery of order events. */
export function createDeliveryMetrics(metrics: Metrics) {
  return {
    attempts: new Counter({
      name: 'payonce_delivery_attempts_total',
      help: 'Attempts to deliver an order event, by result: delivered, retried, exhausted or late.',
      labelNames: ['result'] as const,
      registers: [metrics],
    }),
  };
}

/**
 * Waiting deliveries and endpoint states, computed on each scrape. Without a database there are no
 * numbers.
 */
export function watchDeliveries(metrics: Metrics, database: DatabaseDeps): void {
  const registers = [metrics];
  const deliveries = new Gauge({
    name: 'payonce_deliveries',
    help: 'Deliveries that are pending or parked, by state.',
    labelNames: ['state'] as const,
    registers,
  });
  const endpoints = new Gauge({
    name: 'payonce_webhook_endpoints',
    help: 'Endpoints that are enabled, disabled, or have an open circuit, by state.',
    labelNames: ['state'] as const,
    registers,
  });
  new Gauge({
    name: 'payonce_delivery_oldest_seconds',
    help: 'Age of the oldest order event that waits for delivery; 0 when none waits.',
    registers,
    async collect() {
      for (const gauge of [this, deliveries, endpoints]) gauge.reset();
      // Absent rather than zero: zero would mean that nothing waits.
      this.remove();
      const counts = await inTime(countDeliveries(database));
      if (counts === null) return;
      this.set(counts.oldestSeconds);
      for (const state of ['pending', 'parked'] as const) deliveries.set({ state }, counts[state]);
      for (const state of ['enabled', 'open', 'disabled'] as const) {
        endpoints.set({ state }, counts.endpoints[state]);
      }
    },
  });
}
