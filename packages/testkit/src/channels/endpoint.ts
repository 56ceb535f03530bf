import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { writeFileAtomically } from '../machine/files.js';
import { SIMULATED } from './channels.js';

export interface DeclaredEndpoint {
  /** Absolute path of a channel file with the simulated channels and the endpoint. */
  readonly channelsFile: string;
  /** `whsec_…`: the secret with which the merchant's system verifies. */
  readonly secret: string;
}

/**
 * Declares the endpoint of the simulated merchant's system, beside the channels that
 * `ensureSimulatedChannels` wrote below `directory`. It uses a separate file, since the simulator
 * rewrites the other one. The secret is created once.
 */
export function declareEndpoint(
  directory: string,
  { name, url }: { readonly name: string; readonly url: string },
): DeclaredEndpoint {
  const secretFile = resolve(directory, 'secrets', `${name}-webhook-secret`);
  if (!existsSync(secretFile)) {
    writeFileAtomically(secretFile, `whsec_${randomBytes(32).toString('base64')}`);
  }
  const channelsFile = resolve(directory, `channels-with-${name}.yaml`);
  const { channels } = parse(readFileSync(resolve(directory, 'channels.yaml'), 'utf8'));
  const endpoint = { merchant: SIMULATED.merchant, url, secrets: [{ file: secretFile }] };
  writeFileAtomically(channelsFile, stringify({ channels, endpoints: { [name]: endpoint } }));
  return { channelsFile, secret: readFileSync(secretFile, 'utf8') };
}
