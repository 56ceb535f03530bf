import type { TimelineEntry } from '../schemas/timeline.js';

/**
 * The order of entries with one time: a transaction writes all its rows with the same time. A
 * notification arrives and gets its reply; an order is registered or an operator acts; then the
 * event is decided.
 */
const PIPELINE: readonly TimelineEntry['kind'][] = [
  'copies',
  'reply',
  'registered',
  'operator',
  'decision',
  'fact',
  'order_event',
  'delivery',
];

/** By time, then along the pipeline, then in the given order. */
export function inTimeOrder(entries: readonly TimelineEntry[]): TimelineEntry[] {
  return [...entries].sort(
    (a, b) =>
      Date.parse(a.at) - Date.parse(b.at) || PIPELINE.indexOf(a.kind) - PIPELINE.indexOf(b.kind),
  );
}
