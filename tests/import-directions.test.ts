import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const planted = join(root, 'apps/gateway/src/planted-by-a-test.ts');

interface Cruise {
  readonly modules: readonly unknown[];
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string } }[];
  };
}

async function cruise(): Promise<Cruise> {
  const program = join(root, 'node_modules/.bin/depcruise');
  const folders = ['apps', 'bench', 'chaos', 'examples', 'packages', 'prisma', 'tooling/src'];
  const { stdout } = await promisify(execFile)(
    program,
    [...folders, '--config', '.dependency-cruiser.mjs', '--output-type', 'json'],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: { stdout: string }) => error); // a violation is an exit code; the report says which
  return JSON.parse(stdout) as Cruise;
}

afterEach(() => rmSync(planted, { force: true }));

test('imports go from apps to core to prisma, and the public edge reaches no order', async () => {
  const { modules, summary } = await cruise();
  expect(modules.length).toBeGreaterThan(60); // a cruise that read nothing finds nothing
  expect(summary.violations.map(({ rule }) => rule.name)).toEqual([]);
});

test('a gateway that could reach an order is found', async () => {
  writeFileSync(planted, "export { deriveOrder } from '@payonce/core/orders/derive';\n");
  const { summary } = await cruise();
  expect(summary.violations.map(({ rule }) => rule.name)).toContain(
    'the-public-edge-reaches-no-order',
  );
});
