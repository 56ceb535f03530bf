import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Channels, loadChannels } from '@payonce/core/config/channels';
import { secretReader } from '@payonce/core/config/secrets';
import { createLog } from '@payonce/core/runtime/log';
import { testChannels } from '@payonce/testkit/channels/test-channels';
import { beforeAll, expect, test } from 'vitest';
import { expiringKeys, watchKeyExpiry } from './key-expiry.js';

const DAY_MS = 86_400_000;
let channels: Channels;
let expiresAt: Date;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'payonce-expiry-'));
  const { channelsFile } = await testChannels(folder);
  channels = loadChannels(readFileSync(channelsFile, 'utf8'), {
    production: false,
    readSecret: secretReader({}, dirname(channelsFile)),
  });
  rmSync(folder, { recursive: true });
  const certificate = channels.get('sim-wechat')?.provider.keys.find((key) => key.expiresAt);
  if (!certificate?.expiresAt) throw new Error('the simulated channel has no certificate');
  expiresAt = certificate.expiresAt;
});

function daysBefore(days: number): Date {
  return new Date(expiresAt.getTime() - days * DAY_MS);
}

test('a certificate is named from thirty days before it expires, and after', () => {
  expect(expiringKeys(channels, daysBefore(31))).toEqual([]);
  for (const daysLeft of [30, 1, 0, -5]) {
    expect(expiringKeys(channels, daysBefore(daysLeft))).toEqual([
      { channel: 'sim-wechat', key: expect.any(String), expiresAt, daysLeft },
    ]);
  }
});

test('the warning comes at the start, by the name of the key', () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test' }, { write: (line) => lines.push(line) });
  watchKeyExpiry(
    () => channels,
    () => daysBefore(10),
    log,
  )();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'warn', channel: 'sim-wechat', daysLeft: 10 }),
  ]);
});
