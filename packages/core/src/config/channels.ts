import type { PaymentProvider, ProviderDefinition } from '@payonce/providers/provider';
import { providers } from '@payonce/providers/registry/providers';
import type { ReadSecret } from '@payonce/providers/secret';
import { parse } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../runtime/errors.js';

/** One set of credentials at one provider, and the merchant whose orders it concerns. */
export interface Channel {
  /** Part of the notify address: `/notify/{provider}/{key}`. */
  readonly key: string;
  readonly merchant: string;
  /** Uses keys of the simulator, which are public: refused in production. */
  readonly simulated: boolean;
  readonly provider: PaymentProvider;
}

export type Channels = ReadonlyMap<string, Channel>;

const KEY = /^[a-z0-9-]{1,40}$/;

/**
 * Only the worker reads `endpoints` (`deliveries/declared.ts`); no other process reads their
 * secrets.
 */
const channelFile = z.strictObject({
  channels: z.record(z.string(), z.unknown()),
  endpoints: z.record(z.string(), z.unknown()).default({}),
});

/**
 * The common settings of all channels; the rest is the provider's (`ProviderDefinition.settings`).
 */
const common = z.looseObject({
  provider: z.string(),
  merchant: z.string().min(1).max(64).default('default'),
  simulated: z.boolean().default(false),
});

/**
 * Reads the channel file: validates every channel, reads and parses every key, once, at boot.
 * @param text the YAML
 * @param options.production refuses simulated channels
 * @throws ConfigError with all faults at once, by the name of the setting, never with a value
 */
export function loadChannels(
  text: string,
  options: { readonly production: boolean; readonly readSecret: ReadSecret },
): Channels {
  const faults: string[] = [];
  const channels = new Map<string, Channel>();
  for (const block of readBlocks(text, options.production, faults)) {
    const channel = makeChannel(block, options, faults);
    if (channel) channels.set(channel.key, channel);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return channels;
}

/** A channel with valid settings; its keys are not read yet. */
export interface ChannelBlock {
  readonly key: string;
  readonly merchant: string;
  readonly simulated: boolean;
  readonly definition: ProviderDefinition;
  readonly settings: unknown;
}

/**
 * @param production refuses simulated channels
 * @param faults receives the faults of the omitted blocks
 * @throws ConfigError when the text is no channel file
 */
export function readBlocks(text: string, production: boolean, faults: string[]): ChannelBlock[] {
  const entries = Object.entries(parseChannelFile(text).channels);
  if (entries.length === 0) faults.push('channels: must name at least one channel');
  return entries.flatMap(([key, block]) => readBlock(key, block, production, faults) ?? []);
}

/** The configured channels for the boot log: keys by name, never by value. */
export function summarise(channels: Channels): Record<string, unknown>[] {
  return [...channels.values()].map(({ key, merchant, simulated, provider }) => ({
    channel: key,
    provider: provider.id,
    merchant,
    simulated,
    keys: provider.keys.map(({ name, retiredAt }) => (retiredAt ? `${name} (retired)` : name)),
  }));
}

/** The two parts of the file, unchecked. @throws ConfigError that quotes nothing of it */
export function parseChannelFile(text: string): z.output<typeof channelFile> {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 0 });
  } catch {
    // The parser's message quotes the line at fault, which may hold a secret pasted by mistake.
    throw new ConfigError(['the channel file is not YAML']);
  }
  const file = channelFile.safeParse(content);
  if (file.success) return file.data;
  throw new ConfigError([
    'the channel file must have an entry `channels`, and may have `endpoints`',
  ]);
}

function readBlock(
  key: string,
  block: unknown,
  production: boolean,
  faults: string[],
): ChannelBlock | null {
  const at = `channels.${KEY.test(key) ? key : '(a key that is not a-z, 0-9, - or is over 40 characters)'}`;
  const parsed = common.safeParse(block);
  if (!KEY.test(key)) faults.push(at);
  if (!parsed.success) {
    faults.push(...schemaFaults(parsed.error, at));
    return null;
  }
  const { provider: id, merchant, simulated, ...rest } = parsed.data;
  if (simulated && production) {
    faults.push(`${at}.simulated: its keys are not secret, so it is not allowed in production`);
  }
  const definition = providers.find((provider) => provider.id === id);
  if (!definition) {
    faults.push(`${at}.provider: must be one of ${providers.map(({ id }) => id).join(', ')}`);
    return null;
  }
  const settings = definition.settings.safeParse(rest);
  if (settings.success) return { key, merchant, simulated, definition, settings: settings.data };
  faults.push(...schemaFaults(settings.error, at));
  return null;
}

function makeChannel(
  { key, merchant, simulated, definition, settings }: ChannelBlock,
  { readSecret }: { readonly readSecret: ReadSecret },
  faults: string[],
): Channel | null {
  try {
    const provider = definition.create(settings, readSecret);
    return { key, merchant, simulated, provider };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'a key cannot be read';
    faults.push(`channels.${key}: ${why}`);
    return null;
  }
}

/** Paths and zod's messages, which name types and limits, never the value. */
export function schemaFaults(error: z.ZodError, at: string): string[] {
  return error.issues.map(({ path, message }) => `${[at, ...path].join('.')}: ${message}`);
}
