import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

/** Owner-only, and never half-written: a reader sees the old file or the complete new one. */
export function writeFileAtomically(path: string, text: string): void {
  const fresh = `${path}.${randomUUID()}.tmp`;
  writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, path);
}
