import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** The parts of gateway and worker. */
const PARTS = [
  'apps/gateway',
  'apps/worker',
  'packages/core',
  'packages/orders',
  'packages/providers',
  'prisma',
];

/** A change to the compiled product. */
export interface Patch {
  /** Below the repository, e.g. `apps/gateway/dist/routes/receive.js`. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly find: string | RegExp;
  readonly replace: string;
}

export interface Copy {
  readonly root: string;
  remove(): void;
}

/**
 * The compiled product with a defect: the product itself has no hook for it. Links between the
 * copied packages are relative and stay among them; third parties' packages are the repository's.
 * @throws Error when a patch does not find its place: it would prove nothing
 */
export function patchedCopy(patches: readonly Patch[]): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'payonce-broken-'));
  for (const part of PARTS) {
    mkdirSync(join(folder, dirname(part)), { recursive: true });
    for (const name of ['package.json', 'dist', 'node_modules']) {
      const to = join(folder, part, name);
      cpSync(join(root, part, name), to, { recursive: true, verbatimSymlinks: true });
    }
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const patch of patches) apply(folder, patch);
  return { root: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function apply(folder: string, { file, find, replace }: Patch): void {
  const path = join(folder, file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) {
    throw new Error(`${file}: ${find} stands there ${parts.length - 1} times, not once`);
  }
  writeFileSync(path, parts.join(replace));
}
