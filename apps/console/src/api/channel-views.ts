import type { ChannelSummary } from '@payonce/core/config/channel-summary';
import { z } from 'zod';
import type { KeyExpiry } from '../reads/key-expiry.js';
import { time } from '../schemas/fields.js';

export const channelView = z.object({
  key: z.string(),
  provider: z.string(),
  merchant: z.string(),
  simulated: z.boolean(),
  notifyPath: z
    .string()
    .describe("The path of the notify address, below the gateway's own address."),
  settings: z
    .record(z.string(), z.unknown())
    .describe('The settings in the channel file, without the keys.'),
  keys: z.array(
    z.object({
      setting: z.string().describe('The setting that lists the key.'),
      name: z
        .string()
        .describe('A serial number, or where the key is read from; never the key itself.'),
      retiredAt: time.nullable(),
      expiresAt: time
        .nullable()
        .describe('As reported by gateways; null if the key does not expire.'),
    }),
  ),
});

export function viewOfChannel(
  { key, provider, merchant, simulated, settings, keys }: ChannelSummary,
  expiry: KeyExpiry,
): z.infer<typeof channelView> {
  return {
    ...{ key, provider, merchant, simulated, settings },
    notifyPath: `/notify/${provider}/${key}`,
    keys: keys.map(({ setting, name, retiredAt }) => ({
      ...{ setting, name },
      retiredAt: retiredAt?.toISOString() ?? null,
      expiresAt: expiry(key, name),
    })),
  };
}
