import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ReadSecret } from '@payonce/providers/secret';
import { z } from 'zod';
import { ConfigError } from '../runtime/errors.js';
import { type Channels, loadChannels } from './channels.js';
import { type Env, readEnv } from './env.js';
import { secretReader } from './secrets.js';

const channelFileEnv = {
  PAYONCE_CHANNELS_FILE: z.string().default('channels.yaml'),
  NODE_ENV: z.string().optional(),
};

/** The text of the channel file, and the reader of its secrets. */
export interface ChannelFileText {
  readonly text: string;
  readonly production: boolean;
  readonly readSecret: ReadSecret;
}

/** Secrets in files are relative to the channel file. @throws ConfigError */
export function readChannelText(env: Env): ChannelFileText {
  const { PAYONCE_CHANNELS_FILE: file, NODE_ENV } = readEnv(channelFileEnv, env);
  try {
    return {
      text: readFileSync(file, 'utf8'),
      production: NODE_ENV === 'production',
      readSecret: secretReader(env, dirname(file)),
    };
  } catch {
    throw new ConfigError(['PAYONCE_CHANNELS_FILE: the file cannot be read']);
  }
}

/**
 * Reads the channel file that the environment names, and every key.
 * @throws ConfigError with all faults at once
 */
export function readChannelFile(env: Env): Channels {
  const { text, ...options } = readChannelText(env);
  return loadChannels(text, options);
}
