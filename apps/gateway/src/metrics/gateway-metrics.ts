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
      help: "This machine's clock at receipt minus the provider's signed time, for the last verified notification that has one.",
      labelNames: CHANNEL_LABELS,
      registers,
    }),
  };
}

function requestMetrics(registers: Metrics[]) {
  return {
    received: new Counter({
      name: 'payonce_gateway_received_total',
      help: 'Requests to the notify address of a configured channel that the gateway read in full.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    accepted: new Counter({
      name: 'payonce_gateway_accepted_total',
      help: 'Notifications that the gateway verified, stored durably in the queue and acknowledged.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
    rejected: new Counter({
      name: 'payonce_gateway_rejected_total',
      help: 'Requests that verification rejected, by reason.',
      labelNames: [...CHANNEL_LABELS, 'reason'] as const,
      registers,
    }),
    closedConnections: new Counter({
      name: 'payonce_gateway_closed_connections_total',
      help: 'Connections closed because too many were open: the longest silent, or the new one.',
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
      help: 'Genuine notifications that no store took, so that the provider sends them again.',
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
      help: 'Requests that name a key that the channel does not list. Alarm when it grows: the provider may have rotated its keys.',
      labelNames: CHANNEL_LABELS,
      registers,
    }),
  };
}

function queueMetrics(registers: Metrics[]) {
  return {
    queued: new Counter({
      name: 'payonce_gateway_queued_total',
      help: 'Notifications that the queue stored durably, by store.',
      labelNames: ['queue'] as const,
      registers,
    }),
    queueSwitches: new Counter({
      name: 'payonce_gateway_queue_switches_total',
      help: 'Switches between the stores of the queue, by the store that took over.',
      labelNames: ['queue'] as const,
      registers,
    }),
    enqueueSeconds: new Histogram({
      name: 'payonce_gateway_enqueue_seconds',
      help: 'Seconds until a store had the notification durably, or every store had failed, by result: ok or failed.',
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
      help: 'Attempts to send a report of copies, minutes and state to the workers, by result: sent or failed.',
      labelNames: ['result'] as const,
      registers,
    }),
    droppedCounts: new Counter({
      name: 'payonce_gateway_uncounted_copies_total',
      help: 'Acknowledgements that the reports do not count because their buffer was full.',
      registers,
    }),
  };
}
