import type { Log } from '@payonce/core/runtime/log';
import type { GatewayMetrics } from './gateway-metrics.js';

/** WeChat Pay v3 is refused from 300 s on. The warning leaves time to correct the clock. */
const WARNING_SECONDS = 120;
/**
 * A replayed notification is genuine too, and would warn again: one line says as much as a
 * thousand.
 */
const SILENCE_MS = 3_600_000;

/** Compares a verified notification's time with our clock. */
export type SkewWatch = (
  labels: { readonly provider: string; readonly channel: string },
  sentAt: Date,
  receivedAt: Date,
) => void;

export function createSkewWatch({ clockSkew }: GatewayMetrics, log: Log): SkewWatch {
  const warnedAt = new Map<string, number>();
  return (labels, sentAt, receivedAt) => {
    const skewSeconds = (receivedAt.getTime() - sentAt.getTime()) / 1_000;
    clockSkew.set(labels, skewSeconds);
    if (Math.abs(skewSeconds) <= WARNING_SECONDS) return;
    const last = warnedAt.get(labels.channel);
    if (last !== undefined && performance.now() - last < SILENCE_MS) return;
    warnedAt.set(labels.channel, performance.now());
    log.warn({ ...labels, skewSeconds }, 'clock.differs_from_provider');
  };
}
