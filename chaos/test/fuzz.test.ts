import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { storeFolder } from '@payonce/testkit/stores/store-folder';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fuzz } from '../src/fuzz/main.js';
import { patchedCopy } from './patched-copy.js';

const root = join(import.meta.dirname, '..', '..');
const CRYPTO = 'packages/providers/dist/crypto.js';

/** A run with its output: a line for each provider, and one for the run. */
async function shot(product: string, requests: number) {
  const state = storeFolder('fuzz');
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  const progress = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => {
    for (const spy of [log, progress]) spy.mockRestore();
    rmSync(state, { recursive: true, force: true });
  });
  const args = ['--requests', String(requests), '--json'];
  const code = await fuzz({ root: product, state, args });
  const lines = printed.map((line) => JSON.parse(line));
  return { code, tallies: lines.slice(0, 3), run: lines[3] };
}

test('five thousand hostile requests of each provider: no 5xx, no crash, no forgery accepted, memory flat', async () => {
  const { code, tallies, run } = await shot(root, 5_000);
  expect([run?.problems, code]).toEqual([[], 0]);
  for (const tally of tallies) {
    expect(tally).toMatchObject({ failed: 0, forgedAccepted: 0 });
    expect(tally.requests).toBeGreaterThanOrEqual(5_000);
    // Neither all nor none: both paths were covered.
    expect(tally.acknowledged).toBeGreaterThan(200);
    expect(tally.refused).toBeGreaterThan(2_000);
  }
});

test('a gateway that accepts every signature is found out, for each provider', async () => {
  const copy = patchedCopy([
    {
      file: CRYPTO,
      find: 'return verify(hash, message, key, signature);',
      replace: 'return true;',
    },
    {
      file: CRYPTO,
      find: 'return left.length === right.length && timingSafeEqual(left, right);',
      replace: 'return true;',
    },
  ]);
  onTestFinished(() => copy.remove());
  const { code, tallies } = await shot(copy.root, 300);
  expect(code).toBe(1);
  for (const tally of tallies) expect(tally.forgedAccepted).toBeGreaterThan(0);
});

test('a gateway that breaks on unexpected input is found out', async () => {
  const copy = patchedCopy([
    {
      file: 'apps/gateway/dist/routes/receive.js',
      find: 'if (!verification.ok) {',
      replace:
        "if (!verification.ok) { if (verification.reason === 'malformed') throw new Error('x');",
    },
  ]);
  onTestFinished(() => copy.remove());
  const { code, tallies } = await shot(copy.root, 300);
  expect(code).toBe(1);
  for (const tally of tallies) expect(tally.failed).toBeGreaterThan(0);
});
