import { type SecretSource, secretSource, sourceName } from '@payonce/providers/secret';
import { z } from 'zod';
import { ConfigError } from '../runtime/errors.js';
import { readBlocks } from './channels.js';

/** A channel as the file alone describes it: no secret was read. */
export interface ChannelSummary {
  readonly key: string;
  readonly provider: string;
  readonly merchant: string;
  readonly simulated: boolean;
  /** All entries of the provider's block except keys, such as app and merchant numbers. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly keys: readonly KeySummary[];
}

export interface KeySummary {
  /** The list that contains it, e.g. `apiV3Keys`. */
  readonly setting: string;
  /** As in `KeyInfo`: a serial, or the source's name. */
  readonly name: string;
  readonly retiredAt: Date | null;
}

const listed = z.array(secretSource).min(1);
const bySerial = z.record(z.string(), secretSource);

/**
 * @param text the channel file @throws ConfigError with all faults, by name and never with a value
 */
export function summariseChannelFile(text: string): ChannelSummary[] {
  const faults: string[] = [];
  const blocks = readBlocks(text, false, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return blocks.map(({ key, merchant, simulated, definition, settings }) => {
    const entries = Object.entries(settings as object).map(
      ([setting, value]) => [setting, value, keysIn(setting, value)] as const,
    );
    return {
      ...{ key, provider: definition.id, merchant, simulated },
      settings: Object.fromEntries(
        entries.flatMap(([setting, value, keys]) => (keys === null ? [[setting, value]] : [])),
      ),
      keys: entries.flatMap(([, , keys]) => keys ?? []),
    };
  });
}

/** Null for a setting without keys. */
function keysIn(setting: string, value: unknown): KeySummary[] | null {
  const summary = (name: string, { retiredAt }: SecretSource) => ({
    ...{ setting, name },
    retiredAt: retiredAt === undefined ? null : new Date(retiredAt),
  });
  const list = listed.safeParse(value);
  if (list.success) return list.data.map((source) => summary(sourceName(source), source));
  const record = bySerial.safeParse(value);
  if (!record.success) return null;
  return Object.entries(record.data).map(([serial, source]) => summary(serial, source));
}
