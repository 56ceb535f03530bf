import type { Log } from '@payonce/core/runtime/log';
import { type Schedule, startSchedule } from '@payonce/core/runtime/schedules';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { purgeStep, START } from '@payonce/orders/retention/purge';
import type { WorkerMetrics } from '../metrics/worker-metrics.js';

/** Erases old raw bytes, round after round; within a round the small steps follow each other. */
export function startRetention(
  config: { readonly retentionMs: number; readonly intervalMs: number },
  {
    database,
    log,
    metrics,
    mayRun,
  }: {
    database: DatabaseDeps;
    log: Log;
    metrics: Pick<WorkerMetrics, 'purged'>;
    mayRun: () => boolean;
  },
): Schedule {
  let place = START;
  return startSchedule({
    intervalMs: config.intervalMs,
    run: async () => {
      if (!mayRun()) return false;
      const { next, notifications, responses, letters } = await purgeStep(
        database,
        config.retentionMs,
        place,
      );
      metrics.purged.inc({ what: 'notification' }, notifications);
      metrics.purged.inc({ what: 'answer' }, responses);
      metrics.purged.inc({ what: 'dead_letter' }, letters);
      if (notifications + responses + letters > 0) {
        log.info({ notifications, answers: responses, letters }, 'retention.purged');
      }
      place = next ?? START;
      return next !== null;
    },
    onError: (err) => log.warn({ err }, 'retention.failed'),
  });
}
