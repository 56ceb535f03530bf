import type { TimelineEntry } from '../api/timeline-views.js';

/**
 * In which order things happen that have one time: a transaction writes all its rows with the same one.
 * A notification comes and is answered; an order is registered or an operator speaks; then it is decided.
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

/** By time, then along the pipeline, then as they were given. */
export function inTimeOrder(entries: readonly TimelineEntry[]): TimelineEntry[] {
  return [...entries].sort(
    (a, b) =>
      Date.parse(a.at) - Date.parse(b.at) || PIPELINE.indexOf(a.kind) - PIPELINE.indexOf(b.kind),
  );
}
