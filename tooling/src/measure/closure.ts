import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Part {
  readonly dependencies?: Readonly<Record<string, string | { readonly version: string }>>;
  readonly optionalDependencies?: Readonly<Record<string, string | { readonly version: string }>>;
}
interface Lockfile {
  readonly importers: Readonly<Record<string, Part>>;
  readonly snapshots: Readonly<Record<string, Part>>;
}

/**
 * What `pnpm install --prod` in `folder` installs, by the lock file: folders of the workspace, and
 * packages as `name@version`.
 * @throws Error when the lock file lacks one
 */
export function productionInstall(root: string, folder: string): Set<string> {
  const lock = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;
  const installed = new Set<string>();
  const enter = (id: string, part: Part | undefined, at: string): void => {
    if (installed.has(id)) return;
    if (part === undefined) throw new Error(`pnpm-lock.yaml has no ${id}`);
    installed.add(id);
    const next = { ...part.dependencies, ...part.optionalDependencies };
    for (const [name, entry] of Object.entries(next)) {
      const version = typeof entry === 'string' ? entry : entry.version;
      if (version.startsWith('link:')) {
        const linked = join(at, version.slice('link:'.length));
        enter(linked, lock.importers[linked], linked);
      } else {
        const child = version in lock.snapshots ? version : `${name}@${version}`;
        enter(child, lock.snapshots[child], at);
      }
    }
  };
  enter(folder, lock.importers[folder], folder);
  return installed;
}
