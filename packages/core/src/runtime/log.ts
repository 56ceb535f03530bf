import { type DestinationStream, type Logger, pino } from 'pino';
import type { EventAt, EventLevel } from './log-events.js';

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs by event: `log.warn({ reason }, 'queue.down')`. Other names and levels do not compile. */
export type Log = { readonly [Level in EventLevel]: LogMethod<Level> } & {
  /** A log that adds these fields to each of its lines. */
  child(fields: object): Log;
};

interface LogMethod<Level extends EventLevel> {
  (fields: object, event: EventAt<Level>): void;
  (event: EventAt<Level>): void;
  /** @deprecated Sentences: these two go when every call names an event. */
  (fields: object, sentence: string): void;
  (sentence: string): void;
}

/** Names whose values never reach a log, at any depth. Bodies hold payer IDs and signatures. */
const SECRET_NAME =
  /pass(word|wd)?$|secret|token|api_?v?\d?_?keys?$|private_?key|authorization|cookie|signature|^sign$|^body|credential/i;
/**
 * The scheme has a bounded length; otherwise the time would grow with the square of a long word.
 */
const CREDENTIALS_IN_URL = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]+@/gi;
/** Deeper than anything that is logged on purpose; stops a cycle. */
const DEPTH_LIMIT = 6;

/**
 * One JSON line per event, on standard output unless `destination` is given. An unknown level
 * counts as `info`: the configuration check refuses it, and needs a log to report that.
 */
export function createLog(
  options: { readonly name: string; readonly level?: string | undefined },
  destination?: DestinationStream,
): Log {
  const known = LOG_LEVELS.find((level) => level === options.level);
  const settings = {
    name: options.name,
    level: known ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields, 0) as Record<string, unknown>,
    },
    // `redact` makes errors safe. Pino's serialiser copies every property, and a Redis error
    // carries the failed command with the whole job in it.
    serializers: { err: (value: unknown) => value },
    hooks: {
      logMethod(this: Logger, args: unknown[], method: (...args: unknown[]) => void) {
        // `log.error(error)` would take the error's message unredacted.
        const [first] = args;
        const named = first instanceof Error && args.length === 1 ? [first, first.message] : args;
        method.apply(
          this,
          named.map((arg) => (typeof arg === 'string' ? scrub(arg) : arg)),
        );
      },
    },
  };
  return destination ? pino(settings, destination) : pino(settings);
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrub(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (Buffer.isBuffer(value)) return `(${value.length} bytes)`;
  if (depth >= DEPTH_LIMIT) return '(too deep)';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_NAME.test(name) ? '[redacted]' : redact(item, depth + 1),
    ]),
  );
}

/**
 * Type, message, code, stack and cause. No other property, since libraries attach whole requests to
 * errors.
 */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  return {
    type: error.name,
    message: scrub(error.message),
    ...(typeof code === 'string' && { code }),
    // Only our errors: PostgreSQL's `detail` quotes the row.
    ...(error.name !== 'error' && typeof detail === 'string' && { detail: scrub(detail) }),
    ...(error.stack && { stack: scrub(error.stack) }),
    ...(error.cause !== undefined &&
      depth < DEPTH_LIMIT && { cause: redact(error.cause, depth + 1) }),
  };
}

function scrub(text: string): string {
  return text.replace(CREDENTIALS_IN_URL, '$1***@');
}
