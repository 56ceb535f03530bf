import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';

/** A small file system only for Redis, so that its disk can be full without other effects. */
export type RedisDisk =
  | { readonly own: true; fill(): void; empty(): void }
  | { readonly own: false; readonly why: string };

/**
 * The append-only file of a run and its rewriting, with a reserve; memory is only used as needed.
 */
const SIZE_BYTES = 512 * 1024 * 1024;
/** The space when it is "full": a few more notifications. */
const SLACK_BYTES = 64 * 1024;

/**
 * A tmpfs at `folder`, if this user may mount. Its fsync costs nothing, which does not matter for
 * SIGKILL: the page cache survives a process anyway.
 */
export function ownRedisDisk(folder: string): RedisDisk {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return { own: false, why: 'only root on Linux may mount a small file system' };
  }
  mkdirSync(folder, { recursive: true });
  try {
    mount('mount', '-t', 'tmpfs', '-o', `size=${SIZE_BYTES},mode=0700`, 'payonce-chaos', folder);
  } catch {
    return { own: false, why: 'mount -t tmpfs is not allowed here' };
  }
  const resize = (bytes: number) => mount('mount', '-o', `remount,size=${bytes}`, folder);
  return {
    own: true,
    fill() {
      const { blocks, bfree, bsize } = statfsSync(folder);
      resize((blocks - bfree) * bsize + SLACK_BYTES);
    },
    empty: () => resize(SIZE_BYTES),
  };
}

/** At the end of a run, or before the next one after a killed run. */
export function unmountLeft(folder: string): void {
  const mounts = '/proc/self/mounts';
  const isMounted = existsSync(mounts) && readFileSync(mounts, 'utf8').includes(` ${folder} `);
  if (isMounted) mount('umount', folder);
}

function mount(program: 'mount' | 'umount', ...args: string[]): void {
  execFileSync(program, args, { stdio: 'pipe' });
}
