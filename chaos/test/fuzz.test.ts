import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { fuzz } from '../src/fuzz.js';

const root = join(import.meta.dirname, '..', '..');

test('five thousand hostile requests of each provider: no 5xx, no crash, nothing forged taken, memory flat', async () => {
  const state = mkdtempSync(join(tmpdir(), 'payonce-fuzz-'));
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(line));
  try {
    const code = await fuzz({ root, state, args: ['--requests', '5000', '--json'] });
    const [alipay, v3, v2, run] = printed.map((line) => JSON.parse(line));
    expect([run?.problems, code]).toEqual([[], 0]);
    for (const tally of [alipay, v3, v2]) {
      expect(tally).toMatchObject({ failed: 0, forgedAccepted: 0 });
      expect(tally.requests).toBeGreaterThanOrEqual(5_000);
      // Neither everything nor nothing: both ways were walked.
      expect(tally.acknowledged).toBeGreaterThan(200);
      expect(tally.refused).toBeGreaterThan(2_000);
    }
  } finally {
    log.mockRestore();
    rmSync(state, { recursive: true, force: true });
  }
});
