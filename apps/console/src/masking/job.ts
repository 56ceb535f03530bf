import { maskBody } from './body.js';
import { HIDDEN, maskHeaders } from './fields.js';

/**
 * A queued notification as Bull Board may show it: all that identifies it, a masked summary of its
 * body, no bytes. Whatever else should lie in the queue shows as nothing but its being there.
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

/** Whatever a worker would make of it: what is not quite a body is masked too. */
function bodyIn({ bodyText, bodyBase64 }: Record<string, unknown>): Buffer | null {
  if (typeof bodyBase64 === 'string') return Buffer.from(bodyBase64, 'base64');
  return typeof bodyText === 'string' ? Buffer.from(bodyText, 'utf8') : null;
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.length <= 128 ? value : HIDDEN;
}

/** What a worker may return of a job: outcomes and IDs, never content. */
const RETURNED = new Set([
  'copies',
  'copy',
  'counted',
  'events',
  'notificationId',
  'outcome',
  'outcomes',
  'reason',
  'unknown',
]);

export function maskReturnValue(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.slice(0, 50).map(maskReturnValue);
  if (typeof value === 'string') return plain(value);
  const shown = Object.entries(value).filter(([name]) => RETURNED.has(name));
  return Object.fromEntries(shown.map(([name, inner]) => [name, maskReturnValue(inner)]));
}
