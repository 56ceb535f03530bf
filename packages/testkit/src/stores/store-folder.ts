import { chmodSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/**
 * PostgreSQL keeps up to a gigabyte of its log; some tests have separate stores beside the common
 * ones.
 */
const ENOUGH_BYTES = 4 * 1024 ** 3;

/**
 * A new folder for a test's stores; the caller removes it. It is in memory if the system offers
 * that: a thousand test databases consist of half a million files. Tests kill stores, not machines,
 * and the data of a killed store survives in either place. Other users may pass through, such as
 * the user of root's PostgreSQL.
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
