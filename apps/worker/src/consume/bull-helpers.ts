import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Log } from '@payonce/core/runtime/log';

/** The common part of BullMQ's queue and worker, on either store. */
interface BullPart {
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

const REPORT_INTERVAL_MS = 60_000;

/** BullMQ's close waits for its store, and on Redis without end. */
export async function closeWithin(part: BullPart, limitMs: Promise<number>): Promise<void> {
  const closed = part.close();
  try {
    await withDeadline(closed, await limitMs, 'closing');
  } catch (error) {
    closed.catch(() => {});
    part.disconnect().catch(() => {});
    throw error;
  }
}

/**
 * Without a listener an `error` event would end the process; BullMQ goes on by itself. A store that
 * is down repeats its error every two seconds: once a minute is enough.
 */
export function logErrors(part: BullPart, log: Log): void {
  const reportedAt = new Map<string, number>();
  part.on('error', (err) => {
    const kind = 'code' in err && typeof err.code === 'string' ? err.code : err.name;
    const isNew = Date.now() - (reportedAt.get(kind) ?? 0) >= REPORT_INTERVAL_MS;
    if (isNew) reportedAt.set(kind, Date.now());
    if (isNew) log.warn({ err }, 'queue.error');
    else log.debug({ err }, 'queue.error');
  });
}
