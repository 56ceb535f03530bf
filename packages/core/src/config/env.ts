import { z } from 'zod';
import { ConfigError } from '../runtime/errors.js';
import { LOG_LEVELS } from '../runtime/log.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** An empty environment variable counts as not set. */
function present(env: Env): Record<string, string> {
  const entries = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries) as Record<string, string>;
}

/**
 * Reads the variables that `shape` names.
 * @throws ConfigError with all faults
 */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Env,
): z.output<z.ZodObject<Shape>> {
  const given = present(env);
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  // Zod's messages name types and limits, never the value.
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const name = path.join('.');
      return `${name}: ${name in given ? message : 'is not set'}`;
    }),
  );
}

/** Runs several readers and throws one ConfigError with the faults of all of them. */
export function collectFaults<Readers extends Record<string, () => unknown>>(
  readers: Readers,
): { [Key in keyof Readers]: ReturnType<Readers[Key]> } {
  const faults: string[] = [];
  const results: Record<string, unknown> = {};
  for (const [key, read] of Object.entries(readers)) {
    try {
      results[key] = read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  // Two readers of one file find the same fault.
  if (faults.length > 0) throw new ConfigError([...new Set(faults)]);
  return results as { [Key in keyof Readers]: ReturnType<Readers[Key]> };
}

/** A TCP port; 0 lets the system choose. */
export function port(fallback: number) {
  return z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port')
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be a port')
    .default(fallback);
}

/** A whole number from `least` to `most`. */
export function count(fallback: number, least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
    .default(fallback);
}

/** An address of a store. It may hold a password, so it never appears in a message. */
export function storeUrl(...protocols: string[]) {
  const message = `must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return z
    .string()
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), message);
}

/** Names or addresses between commas. */
export function list() {
  return z
    .string()
    .default('')
    .transform((value) => value.split(',').flatMap((part) => part.trim() || []));
}

/** Whole numbers between commas, 1 to 20 of them. */
export function counts(fallback: readonly number[], least: number, most: number) {
  const message = `must be 1 to 20 comma-separated whole numbers from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}(,\d{1,9}){0,19}$/, message)
    .transform((text): readonly number[] => text.split(',').map(Number))
    .refine((values) => values.every((value) => value >= least && value <= most), message)
    .default(fallback);
}

/** Settings of every process. */
export const logEnv = { PAYONCE_LOG_LEVEL: z.enum(LOG_LEVELS).default('info') };

/** Settings of every process that uses the orders' database. */
export const databaseEnv = {
  DATABASE_URL: storeUrl('postgresql:', 'postgres:'),
  PAYONCE_DATABASE_DURABILITY: z.enum(['checked', 'managed']).default('checked'),
};

/**
 * The private port of a process, for probes and metrics. It must never be reachable from outside.
 */
export function privateEnv(fallbackPort: number) {
  return {
    PAYONCE_PRIVATE_HOST: z.string().default('127.0.0.1'),
    PAYONCE_PRIVATE_PORT: port(fallbackPort),
  };
}

/**
 * The settings for the boot log, with passwords and the credentials of addresses masked at any
 * depth.
 */
export function maskedSummary(settings: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      /password$/i.test(name) && value !== undefined ? '***' : mask(value),
    ]),
  );
}

/** The content of a file: useless in a log. */
const PEM = '-----BEGIN ';

function mask(value: unknown): unknown {
  if (typeof value === 'string') return value.includes(PEM) ? '(PEM)' : maskUrl(value);
  if (Array.isArray(value)) return value.map(mask);
  return typeof value === 'object' && value !== null ? maskedSummary(value) : value;
}

/**
 * `redis://user:secret@host` becomes `redis://***@host`. The query is dropped: it can hold a
 * password too.
 */
export function maskUrl(text: string): string {
  if (!/^[a-z]+:\/\//i.test(text) || !URL.canParse(text)) return text;
  const url = new URL(text);
  const credentials = url.username || url.password ? '***@' : '';
  return `${url.protocol}//${credentials}${url.host}${url.pathname}`;
}
