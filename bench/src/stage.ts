import type { Channels } from '@payonce/core/config/channels';
import type { NewJob } from '@payonce/core/queue/job';
import type { SimulatedChannels } from '@payonce/testkit/channels';
import type { Programs } from './programs.js';
import type { WireRequest } from './requests.js';
import type { Scale } from './scale.js';
import type { BenchStores, Place } from './stores.js';

/** What every comparison is given. */
export interface Stage {
  readonly scale: Scale;
  readonly stores: BenchStores;
  readonly programs: Programs;
  readonly channels: Channels;
  readonly signers: SimulatedChannels;
  /** Alipay payments, also in `requestsFile`; made at first use. */
  readonly requests: () => readonly WireRequest[];
  readonly requestsFile: string;
  /** The same, as a gateway queues them. */
  readonly jobs: () => readonly NewJob[];
  /** Queues `count` of them in Redis, from the one with that number on. */
  readonly fill: (place: Place, from: number, count: number) => Promise<void>;
  /** For requests of one comparison's own. */
  readonly folder: string;
  readonly say: (line: string) => void;
}
