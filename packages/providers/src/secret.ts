import { z } from 'zod';

/**
 * The location of a secret or key: an environment variable or a file; never the value itself. A
 * retired key stays listed with its time of retirement: messages received earlier still verify.
 */
export const secretSource = z.union([
  z.strictObject({ env: z.string().min(1), retiredAt: z.iso.datetime().optional() }),
  z.strictObject({ file: z.string().min(1), retiredAt: z.iso.datetime().optional() }),
]);
export type SecretSource = z.infer<typeof secretSource>;

/** The name of a key in logs, reports and the console. */
export function sourceName(source: SecretSource): string {
  return 'env' in source ? `env ${source.env}` : `file ${source.file}`;
}

/** Reads the text behind a source. @throws Error that names the source and never its content. */
export type ReadSecret = (source: SecretSource) => string;

/** A key of a channel, with its time of retirement once it was replaced. */
export interface Retirable {
  readonly retiredAt: Date | null;
}

/** A key counts for messages received before its retirement. */
export function isLive(key: Retirable, receivedAt: Date): boolean {
  return key.retiredAt === null || receivedAt < key.retiredAt;
}

export function retiredAt(source: SecretSource): Date | null {
  return source.retiredAt === undefined ? null : new Date(source.retiredAt);
}
