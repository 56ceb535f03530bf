import type { Timeline, TimelineEntry } from '../schemas/timeline.js';
import type { NotificationRow, TimelineRows } from './history-rows.js';
import { entriesOf } from './timeline-entries.js';
import { inTimeOrder } from './timeline-order.js';

/** The history that these rows tell. Pure. @param more entries that no row stands for */
export function timelineOf(rows: TimelineRows, more: readonly TimelineEntry[]): Timeline {
  return {
    entries: inTimeOrder([...more, ...entriesOf(rows)]),
    notifications: rows.notifications.map((row) => lineOf(row, rows)),
    truncated: [...rows.truncated],
  };
}

function lineOf(row: NotificationRow, { events }: TimelineRows): Timeline['notifications'][number] {
  const applied = events.some(
    (one) => one.notificationRowId === row.id && one.outcome === 'applied',
  );
  return {
    id: row.id.toString(),
    provider: row.provider,
    channel: row.channel,
    notificationId: row.notificationId,
    received: row.received,
    applied: applied ? 1 : 0,
    status: row.status,
  };
}
