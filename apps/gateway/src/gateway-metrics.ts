import type { Metrics } from '@payonce/core/runtime/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';

const CHANNEL_LABELS = ['provider', 'channel'] as const;

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/**
 * Label values come from configured channels and closed sets: a stranger cannot create new series.
 */
export function createGatewayMetrics(metrics: Metrics) {
  const registers = [metrics];
  return {
    ...requestMetrics(registers),
    ...queueMetrics(registers),
    ...reportMetrics(registers),
    clockSkew: new Gauge({
      name: 'payonce_clock_skew_seconds',
      help: "This machine's clock minus the provider's, by its last verified notification; includes the time in transit.",
      labelNames: CHANNEL_LABELS,
      registers,
    }),
  };
}

function requestMetrics(registers: Metrics[]) {
  return {
    received: new Counter({
      name: 'payonce_gateway_received_total',
      help: 'Requests to a notify address of a configured channel, read in full.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    accepted: new Counter({
      name: 'payonce_gateway_accepted_total',
      help: 'Notifications acknowledged: verified, and durable in the queue.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    rejected: new Counter({
      name: 'payonce_gateway_rejected_total',
      help: 'Requests that verification rejected, by reason.',
      labelNames: [...CHANNEL_LABELS, 'reason'] as const,
      registers,
    }),
    refused: new Counter({
      name: 'payonce_gateway_refused_total',
      help: 'Requests refused before verification, by HTTP status.',
      labelNames: ['status'] as const,
      registers,
    }),
    unavailable: new Counter({
      name: 'payonce_gateway_unavailable_total',
      help: 'Genuine notifications that no queue took; the provider sends them again.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    probes: new Counter({
      name: 'payonce_gateway_signature_probes_total',
      help: 'Wrong signatures that WeChat Pay sends as a test. No cause for alarm.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    unknownKeys: new Counter({
      name: 'payonce_gateway_unknown_keys_total',
      help: 'Requests that name a key that the channel does not have. Alarm: a key rotation may have been missed.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
  };
}

function queueMetrics(registers: Metrics[]) {
  return {
    queued: new Counter({
      name: 'payonce_gateway_queued_total',
      help: 'Notifications stored durably in the queue, by store.',
      labelNames: ['queue'] as const,
      registers,
    }),
    queueSwitches: new Counter({
      name: 'payonce_gateway_queue_switches_total',
      help: 'Switches between the stores of the queue, by the store that takes over.',
      labelNames: ['queue'] as const,
      registers,
    }),
    enqueueSeconds: new Histogram({
      name: 'payonce_gateway_enqueue_seconds',
      help: 'Time until a store had a notification durably, or all stores had failed.',
      labelNames: ['result'] as const,
      // The deadline is 2 s in all.
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.7, 1, 2],
      registers,
    }),
  };
}

function reportMetrics(registers: Metrics[]) {
  return {
    reports: new Counter({
      name: 'payonce_gateway_reports_total',
      help: 'Reports of this gateway (copies, minutes, state): sent, or failed and sent again.',
      labelNames: ['result'] as const,
      registers,
    }),
    droppedCounts: new Counter({
      name: 'payonce_gateway_uncounted_copies_total',
      help: 'Acknowledgements that were not counted because the report buffer was full.',
      registers,
    }),
  };
}
