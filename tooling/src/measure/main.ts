import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { productionInstall } from './closure.js';
import { prose } from './documents.js';
import { type FunctionLength, functionLengths, spread } from './functions.js';
import { exportedNames, importEffects, logCalls, shortcuts, widths } from './habits.js';
import { betweenFolders, circles, importsOf } from './imports.js';
import { readDocuments, readSources, type Source } from './sources.js';

const HELP = `usage: npm run measure [-- [FOLDER] [--json]]

Measures the code in FOLDER, this repository unless given: lengths of files and functions, imports
between folders, side effects at import, log calls, prose of the documents, what the gateway installs.
Another code base can be measured the same way, to compare.

  --json   the figures and the lists behind them, on standard output
`;

/** What is deployed here. Elsewhere everything that is no test counts as the product. */
const PRODUCT = /^(apps\/(gateway|worker|console)|packages\/(?!testkit)[^/]+|prisma)\//;
/** A function of this many lines is listed. */
const LONG = 70;

/** @returns the exit code */
export async function measure({ root, args }: { root: string; args: string[] }): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const folder = resolve(positionals[0] ?? root);
  if (!existsSync(folder)) {
    console.error(`there is no folder ${folder}`);
    return 2;
  }
  const figures = measureFolder(folder);
  console.log(values.json ? JSON.stringify(figures, null, 2) : asTable(figures));
  return 0;
}

export type Figures = ReturnType<typeof measureFolder>;

function measureFolder(root: string) {
  const all = readSources(root);
  const sources = all.filter(({ isTest }) => !isTest);
  const own = sources.filter(({ path }) => PRODUCT.test(path));
  const product = own.length > 0 ? own : sources;
  const tests = all.filter(({ isTest }) => isTest);
  return {
    product: measureSources(root, product),
    everything: measureSources(root, sources),
    tests: {
      files: tests.length,
      lines: total(tests),
      perSourceLine: share(total(tests), total(product)),
    },
    documents: measureDocuments(root),
    gateway: gatewayInstall(root),
  };
}

function measureSources(root: string, sources: readonly Source[]) {
  const functions = sources.flatMap(functionLengths);
  const imports = importsOf(root, sources);
  const folders = countBy(sources.map(({ path }) => dirname(path)));
  const names = countBy(sources.flatMap(exportedNames));
  const logs = sources.map(logCalls);
  const habits = sources.map((source) => ({ ...widths(source), ...shortcuts(source) }));
  const sum = (key: keyof (typeof habits)[number]) =>
    habits.reduce((before, one) => before + one[key], 0);
  return {
    lines: total(sources),
    files: spread(sources.map(({ lines }) => lines)),
    functions: spread(functions.map(({ lines }) => lines)),
    longFunctions: functions.filter(({ lines }) => lines > LONG).map(place),
    folders: spread([...folders.values()]),
    largestFolders: largest([...folders]),
    fileCycles: circles(imports),
    folderCycles: circles(betweenFolders(imports)),
    crossingImports: share(betweenFolders(imports).length, imports.length),
    importEffects: list(sources, importEffects),
    environment: sources
      .filter(({ path, text }) => !/(main|config)\.ts$/.test(path) && /process\.env\b/.test(text))
      .map(({ path }) => path),
    logCalls: {
      calls: logs.reduce((before, { calls }) => before + calls, 0),
      named: logs.reduce((before, { named }) => before + named, 0),
    },
    namesExportedTwice: [...names].flatMap(([name, uses]) => (uses > 1 ? [name] : [])),
    wideLines: sum('wide'),
    wideComments: sum('wideComments'),
    any: sum('any'),
    asUnknownAs: sum('asUnknownAs'),
    todo: sum('todo'),
    rawSql: sources.filter(({ text }) => /\$(query|execute)Raw/.test(text)).length,
  };
}

function measureDocuments(root: string) {
  return readDocuments(root).map(({ path, text }) => ({ path, ...prose(text) }));
}

function gatewayInstall(root: string) {
  if (!existsSync(join(root, 'apps/gateway/package.json'))) return null;
  const manifest = readFileSync(join(root, 'apps/gateway/package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const installed = [...productionInstall(root, 'apps/gateway')];
  return {
    direct: Object.keys(dependencies).filter((name) => !name.startsWith('@payonce/')),
    packages: installed.filter((id) => id.includes('@')).length,
    prisma: installed.filter((id) => /prisma/i.test(id)),
  };
}

function asTable({ product, everything, tests, documents, gateway }: Figures): string {
  const table = new Table({ head: ['', 'product', 'with support code'] });
  const row = (name: string, show: (one: Figures['product']) => string | number) =>
    table.push([name, show(product), show(everything)]);
  const spreadOf = ({ n, median, p90, max }: ReturnType<typeof spread>) =>
    `${n}: ${median} / ${p90} / ${max}`;
  row('lines', ({ lines }) => lines);
  row('files: median / p90 / max lines', ({ files }) => spreadOf(files));
  row('functions: median / p90 / max lines', ({ functions }) => spreadOf(functions));
  row(`functions over ${LONG} lines`, ({ longFunctions }) => longFunctions.length);
  row('folders: median / p90 / max files', ({ folders }) => spreadOf(folders));
  row('circles of files', ({ fileCycles }) => fileCycles.length);
  row('circles of folders', ({ folderCycles }) => folderCycles.length);
  row('imports that leave their folder', ({ crossingImports }) => percent(crossingImports));
  row('statements with effects at import', ({ importEffects: found }) => found.length);
  row('process.env outside main and config', ({ environment }) => environment.length);
  row(
    'log calls, of them with an event name',
    ({ logCalls: { calls, named } }) => `${calls}, ${named}`,
  );
  row('names exported by several files', ({ namesExportedTwice }) => namesExportedTwice.length);
  row('lines over 100 columns, of them comments', (one) => `${one.wideLines}, ${one.wideComments}`);
  row('any, as unknown as, TODO', (one) => `${one.any}, ${one.asUnknownAs}, ${one.todo}`);
  row('files with SQL by hand', ({ rawSql }) => rawSql);
  const lines = [
    table.toString(),
    `tests: ${tests.lines} lines, ${tests.perSourceLine} per line of the product`,
  ];
  lines.push(...product.longFunctions.map((one) => `over ${LONG} lines: ${one}`));
  lines.push(...product.folderCycles.map((group) => `circle: ${group.join(' ⇄ ')}`));
  if (gateway) {
    const { direct, packages, prisma } = gateway;
    lines.push(
      `gateway: ${direct.length} direct dependencies, ${packages} installed, of Prisma ${prisma.length}`,
    );
  }
  for (const { path, average, over30, unplain, sentences } of documents) {
    if (sentences < 5) continue;
    lines.push(`${path}: ${average} words a sentence, ${over30} over 30, ${unplain} unplain`);
  }
  return lines.join('\n');
}

function place({ path, line, lines }: FunctionLength): string {
  return `${path}:${line} (${lines})`;
}

function list(sources: readonly Source[], of: (source: Source) => string[]): string[] {
  return sources.flatMap((source) => of(source).map((found) => `${source.path}: ${found}`));
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function largest(folders: [name: string, files: number][]): string[] {
  const sorted = folders.sort(([, a], [, b]) => b - a);
  return sorted.slice(0, 5).map(([name, files]) => `${name} (${files})`);
}

function total(sources: readonly Source[]): number {
  return sources.reduce((sum, { lines }) => sum + lines, 0);
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((100 * part) / whole) / 100;
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}
