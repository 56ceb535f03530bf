import { readFileSync } from 'node:fs';
import { holdsCertificates } from '@payonce/providers/crypto';
import { z } from 'zod';

/**
 * The path of a PEM file with certificates; its value is their text. Node itself would ignore a
 * wrong file.
 */
export function caFile() {
  return z.string().transform((path, context) => {
    const text = readText(path);
    if (text !== null && holdsCertificates(text)) return text;
    const message =
      text === null
        ? 'names a file that cannot be read'
        : 'names a file that is no certificate in PEM';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
