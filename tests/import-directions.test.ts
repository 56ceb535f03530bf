import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import configuration, { LAYERS } from '../.dependency-cruiser.mjs';

const root = join(import.meta.dirname, '..');
const FOLDERS = ['apps', 'bench', 'chaos', 'examples', 'packages', 'prisma', 'tooling'];

interface Cruise {
  readonly modules: readonly unknown[];
  readonly summary: {
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
    }[];
  };
}

async function cruise(cwd: string): Promise<Cruise> {
  const program = join(root, 'node_modules/.bin/depcruise');
  const { stdout } = await promisify(execFile)(
    program,
    [...FOLDERS, '--config', '.dependency-cruiser.mjs', '--output-type', 'json'],
    { cwd, maxBuffer: 64 * 1024 * 1024 },
    // A violation is an exit code other than 0; the report names it.
  ).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Cruise;
}

test('every import follows the rules', async () => {
  const { modules, summary } = await cruise(root);
  expect(modules.length).toBeGreaterThan(600); // a cruise that read nothing finds nothing
  expect(summary.violations).toEqual([]);
});

/** Each folder imports a file of the next higher one. */
function violations([home, folders]: [string, readonly string[]]) {
  return folders.slice(0, -1).map((folder, index) => {
    const [lower = '', higher = ''] = folders.slice(index);
    const names = readdirSync(join(root, home, higher), { recursive: true, encoding: 'utf8' });
    const file = names.find((name) => name.endsWith('.ts')) ?? '';
    const imported = `./${relative(lower, join(higher, file))}`.replace(/ts$/, 'js');
    return [`${home}: ${folder} imports no higher folder`, [join(home, lower), imported]] as const;
  });
}

/** For each rule a file that violates it; the name is made so that it collides with no other. */
const PLANTED: Readonly<Record<string, readonly [folder: string, imported: string]>> = {
  'no-cycles': ['packages/core/src/runtime', './planted-no-cycles.js'],
  ...Object.fromEntries(Object.entries(LAYERS).flatMap(violations)),
  'folders-of-an-app-import-no-file-beside-them': ['apps/gateway/src/plugins', '../app.js'],
  'apps-do-not-import-each-other': ['apps/worker/src', '../../gateway/src/routes/receive.js'],
  'packages-do-not-import-apps': [
    'packages/core/src',
    '../../../apps/gateway/src/routes/receive.js',
  ],
  'prisma-imports-nothing-of-ours': ['prisma', '../packages/core/src/runtime/log.js'],
  'providers-import-nothing-of-ours': [
    'packages/providers/src',
    '../../core/src/runtime/errors.js',
  ],
  'providers-do-no-io': ['packages/providers/src/alipay', 'node:fs'],
  'an-adapter-stands-alone': ['packages/providers/src/alipay', '../wechatpay/reply.js'],
  'core-reaches-no-database-of-orders': [
    'packages/core/src/queue',
    '../../../orders/src/orders/derive.js',
  ],
  'the-public-edge-reaches-no-order': [
    'apps/gateway/src',
    '../../../packages/orders/src/orders/derive.js',
  ],
  'pure-orders': ['packages/orders/src/orders', '@payonce/core/runtime/log'],
  'crypto-in-one-place': ['packages/orders/src/access', 'node:crypto'],
  'nothing-deployable-signs': ['apps/gateway/src', '../../../packages/testkit/src/signers/keys.js'],
  'testkit-does-not-know-the-product': [
    'packages/testkit/src',
    '../../providers/src/alipay/verify.js',
  ],
  'the-checker-is-independent': [
    'chaos/src/checker',
    '../../../packages/orders/src/orders/derive.js',
  ],
  'examples-stand-alone': [
    'examples/consumer/src',
    '../../../packages/testkit/src/signers/keys.js',
  ],
  'nobody-imports-the-bench': ['tooling/src', '../../bench/src/main.js'],
};

/** The sources of the workspace; links between its packages are relative and stay in the copy. */
function copyOfSources(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'payonce-imports-')));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  for (const folder of FOLDERS) {
    cpSync(join(root, folder), join(copy, folder), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !/\/(dist|\.turbo)$/.test(path),
    });
  }
  for (const name of ['package.json', '.dependency-cruiser.mjs']) {
    cpSync(join(root, name), join(copy, name));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

test('a violation of each rule is found', async () => {
  const copy = copyOfSources();
  for (const [name, [folder, imported]] of Object.entries(PLANTED)) {
    const source = `import * as planted from '${imported}';\nexport default planted;\n`;
    writeFileSync(join(copy, folder, `planted-${name.replace(/\W+/g, '-')}.ts`), source);
  }
  // This rule names its files.
  const [, pure] = PLANTED['pure-orders'] ?? [];
  writeFileSync(join(copy, 'packages/orders/src/orders/order.ts'), `export * from '${pure}';\n`);

  const { summary } = await cruise(copy);
  const found = new Set(summary.violations.map(({ rule }) => rule.name));
  expect([...found].sort()).toEqual(configuration.forbidden.map(({ name }) => name).sort());
  expect(Object.keys(PLANTED).sort()).toEqual([...found].sort());
});

test.each(Object.entries(LAYERS))('the layers of %s are its folders', (home, layers) => {
  const entries = readdirSync(join(root, home), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(folders.sort()).toEqual([...layers].sort());
});
