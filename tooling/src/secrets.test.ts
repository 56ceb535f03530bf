import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localSecrets } from './secrets.js';

const newState = () => mkdtempSync(join(tmpdir(), 'payonce-secrets-'));

test('a second start has the secrets of the first: the database was sealed with them', () => {
  const state = newState();
  expect(localSecrets(state)).toEqual(localSecrets(state));
});

test('a secret that a later version adds is generated, and the others stay', () => {
  const state = newState();
  const { consoleApiKey, ...older } = localSecrets(state);
  writeFileSync(join(state, 'secrets.json'), JSON.stringify(older));
  const now = localSecrets(state);
  expect(now).toMatchObject(older);
  expect(now.consoleApiKey).not.toBe(consoleApiKey);
  expect(localSecrets(state)).toEqual(now);
});

test('only the owner can read them', () => {
  const state = newState();
  localSecrets(state);
  expect(readdirSync(state)).toEqual(['secrets.json']);
  expect(statSync(join(state, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test('two clones share no secret', () => {
  const all = [localSecrets(newState()), localSecrets(newState())].flatMap(Object.values);
  expect(new Set(all).size).toBe(all.length);
});

test('the encryption key has 32 bytes', () => {
  expect(Buffer.from(localSecrets(newState()).encryptionKey, 'base64')).toHaveLength(32);
});

test('a damaged file is an error, and is not replaced: the database cannot be opened without it', () => {
  const state = newState();
  const file = join(state, 'secrets.json');
  writeFileSync(file, '{"postgresPass');
  expect(() => localSecrets(state)).toThrow();
  expect(readFileSync(file, 'utf8')).toBe('{"postgresPass');
});
