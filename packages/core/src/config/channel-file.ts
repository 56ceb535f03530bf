import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Channels, loadChannels } from './channels.js';
import { ConfigError, type Env, readEnv } from './env.js';
import { secretReader } from './secrets.js';

const channelFileEnv = {
  PAYONCE_CHANNELS_FILE: z.string().default('channels.yaml'),
  NODE_ENV: z.string().optional(),
};

/**
 * Reads the channel file that the environment names, and every key; secrets in files are relative to it.
 * @throws ConfigError with every fault at once
 */
export function readChannelFile(env: Env): Channels {
  const { PAYONCE_CHANNELS_FILE: file, NODE_ENV } = readEnv(channelFileEnv, env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new ConfigError(['PAYONCE_CHANNELS_FILE: the file cannot be read']);
  }
  return loadChannels(text, {
    production: NODE_ENV === 'production',
    readSecret: secretReader(env, dirname(file)),
  });
}
