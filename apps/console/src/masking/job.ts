import { maskBody } from './body.js';
import { HIDDEN, maskHeaders } from './fields.js';

/**
 * A queued notification as Bull Board may show it: its identity and a masked summary of its body,
 * without bytes. Any other data in the queue shows only that it exists.
 */
export function maskJobData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return HIDDEN;
  const job = data as Record<string, unknown>;
  const body = bodyIn(job);
  if (body === null || typeof job.provider !== 'string') return HIDDEN;
  return {
    version: plain(job.version),
    provider: plain(job.provider),
    channel: plain(job.channel),
    notificationId: plain(job.notificationId),
    receivedAt: plain(job.receivedAt),
    headers: maskHeaders(job.headers),
    body: maskBody(job.provider, body),
  };
}

/** More tolerant than a worker: data that is almost a body is masked too. */
function bodyIn({ bodyText, bodyBase64 }: Record<string, unknown>): Buffer | null {
  if (typeof bodyBase64 === 'string') return Buffer.from(bodyBase64, 'base64');
  return typeof bodyText === 'string' ? Buffer.from(bodyText, 'utf8') : null;
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.length <= 128 ? value : HIDDEN;
}

/** The members of a job's result: outcomes and IDs, never content. */
const RETURNED = new Set([
  'copies',
  'copy',
  'counted',
  'events',
  'notificationId',
  'outcome',
  'outcomes',
  'reason',
]);

export function maskReturnValue(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.slice(0, 50).map(maskReturnValue);
  if (typeof value === 'string') return plain(value);
  const shown = Object.entries(value).filter(([name]) => RETURNED.has(name));
  return Object.fromEntries(shown.map(([name, inner]) => [name, maskReturnValue(inner)]));
}
