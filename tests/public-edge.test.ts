import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');

interface Dependency {
  readonly version: string;
}
interface Importer {
  readonly dependencies?: Readonly<Record<string, Dependency>>;
  readonly optionalDependencies?: Readonly<Record<string, Dependency>>;
}
interface Snapshot {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lockfile {
  readonly importers: Readonly<Record<string, Importer>>;
  readonly snapshots: Readonly<Record<string, Snapshot>>;
}

/** What `pnpm install --prod` in `folder` installs: names and versions, by the lock file. */
function productionInstall(lock: Lockfile, folder: string): Set<string> {
  const installed = new Set<string>();
  const enter = (name: string, version: string, from: string): void => {
    if (version.startsWith('link:')) return workspace(join(from, version.slice('link:'.length)));
    const id = version.includes('@') && version in lock.snapshots ? version : `${name}@${version}`;
    if (installed.has(id)) return;
    installed.add(id);
    const { [id]: snapshot } = lock.snapshots;
    if (!snapshot) throw new Error(`the lock file has no ${id}`);
    const next = { ...snapshot.dependencies, ...snapshot.optionalDependencies };
    for (const [child, childVersion] of Object.entries(next)) enter(child, childVersion, from);
  };
  const workspace = (path: string): void => {
    if (installed.has(path)) return;
    installed.add(path);
    const { [path]: importer } = lock.importers;
    if (!importer) throw new Error(`the lock file has no ${path}`);
    const next = { ...importer.dependencies, ...importer.optionalDependencies };
    for (const [name, { version }] of Object.entries(next)) enter(name, version, path);
  };
  workspace(folder);
  return installed;
}

const lock = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;
const PRISMA = /prisma/i;

test("a gateway's production install has no Prisma and no database of orders", () => {
  const installed = productionInstall(lock, 'apps/gateway');
  expect([...installed]).toContain('packages/core'); // a list that read nothing finds nothing
  expect([...installed].some((id) => id.startsWith('fastify@'))).toBe(true);
  expect([...installed].filter((id) => PRISMA.test(id) || id === 'packages/orders')).toEqual([]);
});

test("a worker's has both", () => {
  const installed = [...productionInstall(lock, 'apps/worker')];
  expect(installed).toContain('packages/orders');
  expect(installed.some((id) => id.startsWith('@prisma/client@'))).toBe(true);
});
