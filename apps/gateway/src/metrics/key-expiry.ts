import type { Channels } from '@payonce/core/config/channels';
import type { CurrentChannels } from '@payonce/core/config/live-channels';
import type { Log } from '@payonce/core/runtime/log';

const DAY_MS = 86_400_000;
/**
 * WeChat Pay and Alipay offer the next certificate well before that; a month leaves time to install
 * it.
 */
const WARNING_DAYS = 30;

export interface ExpiringKey {
  readonly channel: string;
  readonly key: string;
  readonly expiresAt: Date;
  /** Whole days; negative once expired. */
  readonly daysLeft: number;
}

/** The keys in use that have expired or expire within 30 days. */
export function expiringKeys(channels: Channels, now: Date): ExpiringKey[] {
  return [...channels.values()].flatMap(({ key: channel, provider }) =>
    provider.keys.flatMap(({ name, expiresAt, retiredAt }) => {
      if (!expiresAt || retiredAt) return [];
      const daysLeft = Math.floor((expiresAt.getTime() - now.getTime()) / DAY_MS);
      return daysLeft <= WARNING_DAYS ? [{ channel, key: name, expiresAt, daysLeft }] : [];
    }),
  );
}

/** Warns now and once a day. Returns a function that stops it. */
export function watchKeyExpiry(channels: CurrentChannels, clock: () => Date, log: Log): () => void {
  const warn = () => {
    for (const key of expiringKeys(channels(), clock())) {
      log.warn(key, key.daysLeft < 0 ? 'key.expired' : 'key.expires_soon');
    }
  };
  warn();
  const timer = setInterval(warn, DAY_MS).unref();
  return () => clearInterval(timer);
}
