import { randomUUID } from 'node:crypto';
import type { GatewayReport, GatewayState } from '@payonce/core/queue/report';
import type { ReportQueue } from '@payonce/core/queue/report-queue';
import type { Clock } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Log } from '@payonce/core/runtime/log';
import { startSchedule } from '@payonce/core/runtime/schedules';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { ReportCounts } from './report-counts.js';

/** The loss when a gateway is killed: the counts of one interval. */
const INTERVAL_MS = 1_000;
/**
 * The interval without counts: short enough to distinguish a quiet gateway from one that is gone.
 */
const HEARTBEAT_MS = 10_000;
/** Runs after the last reply (7.5 s at most), within the 10 s that the process has to end. */
const LAST_REPORT_MS = 1_500;

export interface ReportOptions {
  readonly counts: ReportCounts;
  readonly queue: ReportQueue;
  readonly describe: () => Promise<GatewayState>;
  readonly metrics: Pick<GatewayMetrics, 'reports'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Sends the counts about once a second. A failed report is sent again unchanged: its ID keeps it
 * from being counted twice, whichever store has it. Meanwhile `counts` goes on counting, within
 * its bounds.
 * @returns stops it: tries once to send the rest
 */
export function startReports(options: ReportOptions): { stop(): Promise<void> } {
  const { counts, queue, describe, metrics, clock, log } = options;
  const gateway = randomUUID();
  const startedAt = clock().toISOString();
  let unsent: GatewayReport | null = null;
  let sentAt = Number.NEGATIVE_INFINITY;
  let failing = false;

  async function makeReport(): Promise<GatewayReport> {
    const state = await describe();
    const at = clock().toISOString();
    const reportId = randomUUID();
    return { version: 1, reportId, gateway, startedAt, at, ...counts.take(), state };
  }

  async function sendOne(): Promise<boolean> {
    const isQuiet = counts.isEmpty && performance.now() - sentAt < HEARTBEAT_MS;
    if (unsent === null && isQuiet) return false;
    unsent ??= await makeReport();
    await queue.send(unsent);
    unsent = null;
    sentAt = performance.now();
    metrics.reports.inc({ result: 'sent' });
    if (failing) log.info('reports.send_recovered');
    failing = false;
    return counts.notifications > 0;
  }

  function failed(err: unknown): void {
    metrics.reports.inc({ result: 'failed' });
    // Notifications are still acknowledged, and a failure of the stores is logged with them.
    if (failing) log.debug({ err }, 'reports.send_failed');
    else log.warn({ err }, 'reports.send_failed');
    failing = true;
  }

  const schedule = startSchedule({ intervalMs: INTERVAL_MS, run: sendOne, onError: failed });
  return {
    async stop() {
      await schedule.stop();
      const rest = async () => {
        while (await sendOne());
      };
      await withDeadline(rest(), LAST_REPORT_MS, 'the last report').catch(failed);
    },
  };
}
