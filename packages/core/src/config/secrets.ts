import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ReadSecret } from '@payonce/providers/secret';

/**
 * Reads secrets from the given environment and from files relative to `folder` (the channel
 * file's).
 * @throws Error that names the source, never its content
 */
export function secretReader(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): ReadSecret {
  return (source) => {
    if ('env' in source) {
      const value = env[source.env];
      if (value === undefined || value === '') throw new Error(`env ${source.env} is not set`);
      return value;
    }
    try {
      // A trailing newline of an editor is not part of the secret.
      return readFileSync(resolve(folder, source.file), 'utf8').replace(/\r?\n$/, '');
    } catch {
      throw new Error(`file ${source.file} cannot be read`);
    }
  };
}
