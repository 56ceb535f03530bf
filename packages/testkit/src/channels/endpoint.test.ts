import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { declareEndpoint } from './endpoint.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'payonce-endpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the endpoint is declared beside the channels, with a secret in a separate file that is created once', () => {
  const simulated = 'channels:\n  sim-alipay:\n    provider: alipay\n';
  mkdirSync(join(folder, 'secrets'));
  writeFileSync(join(folder, 'channels.yaml'), simulated);
  const first = declareEndpoint(folder, { name: 'shop', url: 'http://127.0.0.1:1/a' });
  writeFileSync(join(folder, 'channels.yaml'), simulated); // as the simulator does when it starts
  const again = declareEndpoint(folder, { name: 'shop', url: 'http://127.0.0.1:2/b' });
  expect(again).toEqual(first);
  expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const text = readFileSync(first.channelsFile, 'utf8');
  const { channels, endpoints } = parse(text);
  expect(channels).toEqual(parse(simulated).channels);
  const secretFile = join(folder, 'secrets', 'shop-webhook-secret');
  expect(endpoints).toEqual({
    shop: { merchant: 'demo', url: 'http://127.0.0.1:2/b', secrets: [{ file: secretFile }] },
  });
  expect(text).not.toContain(first.secret);
  expect(statSync(secretFile).mode & 0o777).toBe(0o600);
});
