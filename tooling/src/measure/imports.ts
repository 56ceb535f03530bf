import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Source } from './sources.js';

export interface Import {
  readonly from: string;
  readonly to: string;
}

const SPECIFIER =
  /(?:^|\s)(?:import|export)\b[^'"`;]*?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\)/g;
const TYPE_ONLY = /(?:import|export) type\b/;

/** The imports between the measured files that exist at run time. */
export function importsOf(root: string, sources: readonly Source[]): Import[] {
  const files = new Set(sources.map(({ path }) => path));
  const packages = packageFolders(root, sources);
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(SPECIFIER)].flatMap(([all, plain, dynamic]) => {
      if (TYPE_ONLY.test(all)) return [];
      const to = resolve(path, plain ?? dynamic ?? '', files, packages);
      return to === null ? [] : [{ from: path, to }];
    }),
  );
}

/** Folders of workspace packages by the name in their package.json. */
function packageFolders(root: string, sources: readonly Source[]): Map<string, string> {
  const folders = new Set(sources.flatMap(({ path }) => parents(dirname(path))));
  const found = [...folders].flatMap((folder) => {
    const manifest = join(root, folder, 'package.json');
    if (!existsSync(manifest)) return [];
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string };
    return name === undefined ? [] : [[name, folder] as const];
  });
  return new Map(found);
}

function parents(folder: string): string[] {
  return folder === '.' ? ['.'] : [folder, ...parents(dirname(folder))];
}

function resolve(
  from: string,
  specifier: string,
  files: ReadonlySet<string>,
  packages: ReadonlyMap<string, string>,
): string | null {
  const bases = specifier.startsWith('.')
    ? [normalize(join(dirname(from), specifier))]
    : [...packages].flatMap(([name, folder]) =>
        specifier.startsWith(`${name}/`)
          ? ['src', ''].map((inner) => join(folder, inner, specifier.slice(name.length + 1)))
          : [],
      );
  const names = bases.flatMap((base) => [
    base,
    base.replace(/\.js$/, '.ts'),
    `${base}.ts`,
    `${base}.js`,
    join(base, 'index.ts'),
    join(base, 'index.js'),
  ]);
  return names.find((name) => files.has(name)) ?? null;
}

/** The groups of more than one name that reach each other (Tarjan's algorithm). */
export function circles(edges: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (name: string): number => {
    const order = index.size;
    index.set(name, order);
    let lowest = order;
    stack.push(name);
    for (const child of next.get(name) ?? []) {
      if (!index.has(child)) lowest = Math.min(lowest, visit(child));
      else if (stack.includes(child)) lowest = Math.min(lowest, index.get(child) ?? lowest);
    }
    low.set(name, lowest);
    if (lowest !== order) return lowest;
    const group = stack.splice(stack.indexOf(name));
    if (group.length > 1) found.push(group.sort());
    return lowest;
  };
  for (const name of next.keys()) if (!index.has(name)) visit(name);
  return found;
}

/** The same edges between folders; an import inside a folder is none. */
export function betweenFolders(edges: readonly Import[]): Import[] {
  return edges
    .map(({ from, to }) => ({ from: dirname(from), to: dirname(to) }))
    .filter(({ from, to }) => from !== to);
}
