import { type BullQueue, openBullQueue, openUntilReady } from '@payonce/core/queue/bull-queue';
import type { QueueSettings } from '@payonce/core/queue/queue-settings';
import { type BullReportQueue, openBullReportQueue } from '@payonce/core/queue/report-queue';
import { hasReports, queueName } from '@payonce/core/queue/shards';
import type { Lifecycle } from '@payonce/core/runtime/lifecycle';
import type { Log } from '@payonce/core/runtime/log';
import type { Backlog } from './backlog.js';
import type { Board } from './plugins/bull-board.js';

/**
 * Connects in the background: pages and API work without the queues. @returns whether the first is
 * ready yet
 */
export function showQueues(
  settings: QueueSettings,
  board: Board,
  backlog: Backlog,
  lifecycle: Lifecycle,
  parentLog: Log,
): () => boolean {
  const name = queueName(settings);
  const log = parentLog.child({ queue: name });
  let shown = false;
  showOnceOpen(
    () => openBullQueue(settings),
    lifecycle,
    log,
    (queue) => {
      board.show(queue, name);
      backlog.show(queue, name);
      shown = true;
    },
  );
  if (hasReports(settings)) {
    showOnceOpen(
      () => openBullReportQueue(settings),
      lifecycle,
      log,
      (queue) => board.showReports(queue, name),
    );
  }
  return () => shown;
}

function showOnceOpen<Opened extends BullQueue | BullReportQueue>(
  openOne: () => Opened,
  lifecycle: Lifecycle,
  log: Log,
  show: (queue: Opened) => void,
): void {
  const giveUp = new AbortController();
  lifecycle.onStop('looking for the queue', () => giveUp.abort());
  const open = () => {
    const queue = openOne();
    const errors: { on(event: 'error', listener: (err: Error) => void): unknown } = queue;
    errors.on('error', (err) => log.debug({ err }, 'queue error'));
    return queue;
  };
  const onFailure = (err: unknown) => log.warn({ err }, 'the queue is not reachable, trying again');
  openUntilReady(open, { signal: giveUp.signal, onFailure })
    .then((queue) => {
      if (giveUp.signal.aborted) return queue.close();
      lifecycle.onStop('queue', () => queue.close());
      show(queue);
    })
    .catch((err) => log.debug({ err }, 'gave up the queue'));
}
