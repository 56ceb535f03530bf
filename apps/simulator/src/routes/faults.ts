import type { z } from 'zod';

/** All faults at once, by the name of the field. */
export function faultsOf(error: z.ZodError) {
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { error: 'invalid', faults };
}
