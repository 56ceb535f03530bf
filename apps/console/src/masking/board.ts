import { maskText } from './text.js';

/** Members of Bull Board's responses that are free text; its formatters do not reach them. */
const FREE_TEXT = new Set([
  'deferredFailure',
  'failedReason',
  'ignoredChildFailureReasons',
  'message',
  'stacktrace',
]);

/**
 * Masks reasons of failures, stack traces and job logs (a response that is a bare list of lines).
 */
export function maskBoardResponse(response: unknown): unknown {
  const isLog = Array.isArray(response) && response.every((line) => typeof line === 'string');
  return isLog ? maskStrings(response) : maskNamed(response);
}

function maskNamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskNamed);
  if (!isPlainObject(value)) return value;
  const masked = Object.entries(value).map(([name, inner]) => [
    name,
    FREE_TEXT.has(name) ? maskStrings(inner) : maskNamed(inner),
  ]);
  return Object.fromEntries(masked);
}

function maskStrings(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskStrings);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, maskStrings(inner)]),
  );
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}
