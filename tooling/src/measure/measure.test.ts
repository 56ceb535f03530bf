import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { productionInstall } from './closure.js';
import { prose } from './documents.js';
import { functionLengths, spread } from './functions.js';
import { exportedNames, importEffects, logCalls, shortcuts, widths } from './habits.js';
import { betweenFolders, circles, importsOf } from './imports.js';
import { parse, readSources, type Source } from './sources.js';

function source(text: string, path = 'src/one.ts'): Source {
  const parsed = parse(path, text);
  if (parsed === null) throw new Error('it does not parse');
  return parsed;
}

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'payonce-measure-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('lengths', () => {
  test('every function with a body counts, with its line, after text of several bytes too', () => {
    const text = [
      '// 支付宝',
      'export function outer() {',
      '  const inner = () => {',
      '    return 1;',
      '  };',
      '  return inner();',
      '}',
      'class A {',
      '  get one() {',
      '    return 1;',
      '  }',
      '}',
      'export const short = () => 1;',
      '',
    ].join('\n');
    const lengths = functionLengths(source(text)).map(({ line, lines }) => ({ line, lines }));
    expect(lengths).toEqual([
      { line: 2, lines: 6 },
      { line: 3, lines: 3 },
      { line: 9, lines: 3 },
    ]);
  });

  test('the spread has the middle, the ninth tenth and the largest', () => {
    expect(spread([5, 1, 4, 2, 3, 10, 9, 8, 7, 6])).toEqual({ n: 10, median: 5, p90: 9, max: 10 });
    expect(spread([])).toEqual({ n: 0, median: 0, p90: 0, max: 0 });
  });

  test('tests, generated files and packages of others are told apart', () => {
    const root = folderOf({
      'src/one.ts': 'export {};\n',
      'src/one.test.ts': 'export {};\n',
      'test/two.ts': 'export {};\n',
      'node_modules/a/index.js': 'x();\n',
      'dist/one.js': 'x();\n',
    });
    expect(readSources(root).map(({ path, isTest }) => [path, isTest])).toEqual([
      ['src/one.test.ts', true],
      ['src/one.ts', false],
      ['test/two.ts', true],
    ]);
  });
});

test('imports are resolved within a package and across, but not those of types alone', () => {
  const root = folderOf({
    'a/package.json': '{"name":"@x/a"}',
    'a/src/one.ts': "import { two } from '@x/b/two';\nimport type { T } from './three.js';\n",
    'a/src/three.ts': "export * from './one.js';\nimport fs from 'node:fs';\n",
    'b/package.json': '{"name":"@x/b"}',
    'b/src/two.ts': "export const two = await import('@x/a/three');\n",
  });
  const imports = importsOf(root, readSources(root));
  expect(imports).toEqual([
    { from: 'a/src/one.ts', to: 'b/src/two.ts' },
    { from: 'a/src/three.ts', to: 'a/src/one.ts' },
    { from: 'b/src/two.ts', to: 'a/src/three.ts' },
  ]);
  expect(circles(imports)).toEqual([['a/src/one.ts', 'a/src/three.ts', 'b/src/two.ts']]);
  expect(circles(betweenFolders(imports))).toEqual([['a/src', 'b/src']]);
  expect(circles(imports.slice(0, 2))).toEqual([]);
});

describe('habits', () => {
  test('a log call with a sentence is not one with an event name', () => {
    const text =
      "log.info({ a }, 'queue.ready');\nlog.warn('the queue is down');\ndeps.log.error(\n  { err },\n  'batch.hangs',\n);\n";
    expect(logCalls(source(text))).toEqual({ calls: 3, named: 2 });
  });

  test('calls and variables of a module are effects of its import', () => {
    const text =
      "import 'x';\nlet changed = 0;\nconst fixed = 1;\nstart();\nexport const f = () => go();\n";
    expect(importEffects(source(text))).toEqual(['let', 'start();']);
  });

  test('exported names, wide lines, any, and promises are found', () => {
    const wide = `// ${'x'.repeat(100)}`;
    const last = 'const c: any = 1 as unknown as A; // TODO';
    const text = `export interface A {}\nexport async function b() {}\n${wide}\n${last}\n`;
    const one = source(text);
    expect(exportedNames(one)).toEqual(['A', 'b']);
    expect(widths(one)).toEqual({ wide: 1, wideComments: 1 });
    expect(shortcuts(one)).toEqual({ any: 1, asUnknownAs: 1, todo: 1 });
  });
});

test('headings, cells of tables and items of lists are sentences, and code is none', () => {
  const long = `${'word '.repeat(30)}end.`;
  const text = `# A heading of words\n\nTwo words. Whoever reads \`this code\` waits.\n\n| a | table |\n\n\`\`\`\nx = 1;\n\`\`\`\n\n* ${long}\n`;
  expect(prose(text)).toEqual({ sentences: 6, average: 7.2, over30: 1, unplain: 1 });
});

test('a production install has what the lock file links, and no development dependency', () => {
  const root = folderOf({
    'pnpm-lock.yaml': [
      'importers:',
      '  apps/a:',
      '    dependencies:',
      "      '@x/b': { version: link:../../packages/b }",
      '    devDependencies:',
      '      test: { version: 1.0.0 }',
      '  packages/b:',
      '    dependencies:',
      '      one: { version: 1.0.0(two@2.0.0) }',
      'snapshots:',
      '  one@1.0.0(two@2.0.0): { optionalDependencies: { two: 2.0.0 } }',
      '  two@2.0.0: {}',
      '  test@1.0.0: {}',
    ].join('\n'),
  });
  expect([...productionInstall(root, 'apps/a')]).toEqual([
    'apps/a',
    'packages/b',
    'one@1.0.0(two@2.0.0)',
    'two@2.0.0',
  ]);
  expect(() => productionInstall(root, 'apps/none')).toThrow('pnpm-lock.yaml has no apps/none');
});
