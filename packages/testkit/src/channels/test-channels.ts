import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureSimulatedChannels, type SimulatedChannels } from './channels.js';

/** Files below the first folder of this process, with their texts. */
let first: ReadonlyMap<string, string> | null = null;

/**
 * `ensureSimulatedChannels` for a test: its folder gets the keys of the first test of this process.
 * Generating three RSA keys takes up to a second of a core, and no test needs different ones.
 */
export async function testChannels(directory: string): Promise<SimulatedChannels> {
  for (const [file, text] of first ?? []) {
    mkdirSync(join(directory, dirname(file)), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, file), text, { mode: 0o600 });
  }
  const made = await ensureSimulatedChannels(directory);
  first ??= textsBelow(directory);
  return made;
}

function textsBelow(directory: string): ReadonlyMap<string, string> {
  const files = ['secrets', 'provider-keys'].flatMap((folder) =>
    readdirSync(join(directory, folder)).map((name) => join(folder, name)),
  );
  return new Map(files.map((file) => [file, readFileSync(join(directory, file), 'utf8')]));
}
