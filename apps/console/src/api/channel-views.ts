import type { ChannelSummary } from '@payonce/core/config/channel-summary';
import { z } from 'zod';
import type { KeyExpiry } from '../reads/key-expiry.js';
import { time } from './fields.js';

export const channelView = z.object({
  key: z.string(),
  provider: z.string(),
  merchant: z.string(),
  simulated: z.boolean(),
  notifyPath: z.string().describe("The path of the notify address, below the gateway's own."),
  settings: z.record(z.string(), z.unknown()).describe('What the file says that is no key.'),
  keys: z.array(
    z.object({
      setting: z.string().describe('The list that it stands in.'),
      name: z.string().describe('A serial, or where the key is read from. Never the key.'),
      retiredAt: time.nullable(),
      expiresAt: time.nullable().describe('As gateways report it; null for what does not expire.'),
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
