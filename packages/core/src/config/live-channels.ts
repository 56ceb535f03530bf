import { Gauge } from 'prom-client';
import { ConfigError } from '../runtime/errors.js';
import type { Log } from '../runtime/log.js';
import type { Metrics } from '../runtime/metrics.js';
import { type Channels, summarise } from './channels.js';

/** Read once per request; a request keeps its set until it ends. */
export type CurrentChannels = () => Channels;

export interface LiveChannels {
  readonly current: CurrentChannels;
  /**
   * Reads the file and every key again. On any fault the present set stays, and the log names all
   * faults.
   */
  reload(): void;
}

/** @param read as at boot: checks everything before it returns */
export function liveChannels(
  first: Channels,
  {
    read,
    log,
    metrics,
  }: { readonly read: () => Channels; readonly log: Log; readonly metrics: Metrics },
): LiveChannels {
  const successful = new Gauge({
    name: 'payonce_channels_reload_successful',
    help: '1 when the channel file was valid the last time it was read. Alarm on 0: older channels are in use.',
    registers: [metrics],
  });
  const readAt = new Gauge({
    name: 'payonce_channels_read_timestamp_seconds',
    help: 'When the channels in use were read, in Unix time.',
    registers: [metrics],
  });
  let channels = first;
  const used = () => {
    successful.set(1);
    readAt.setToCurrentTime();
  };
  used();
  return {
    current: () => channels,
    reload() {
      try {
        channels = read();
      } catch (error) {
        successful.set(0);
        const why = error instanceof ConfigError ? { faults: error.faults } : { err: error };
        log.error(why, 'channels.reload_failed');
        return;
      }
      used();
      log.info({ channels: summarise(channels) }, 'channels.reloaded');
    },
  };
}
