import { chmodSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** PostgreSQL keeps up to a gigabyte of its log; some tests have stores of their own beside the common ones. */
const ENOUGH_BYTES = 4 * 1024 ** 3;

/**
 * A new folder for the stores that a test starts; whoever made it removes it. In memory where the system offers that:
 * a thousand test databases are made of half a million files. Stores are killed in tests, machines are not, and what
 * a killed store has written is there in either place. Other users may pass through: root's PostgreSQL is one.
 */
export function storeFolder(name: string): string {
  const folder = mkdtempSync(join(hasRoom(MEMORY) ? MEMORY : tmpdir(), `payonce-${name}-`));
  chmodSync(folder, 0o711);
  return folder;
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
