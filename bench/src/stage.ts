import type { Channels } from '@payonce/core/config/channels';
import type { NewJob } from '@payonce/core/queue/job';
import type { SimulatedChannels } from '@payonce/testkit/channels/channels';
import type { Programs } from './programs.js';
import type { WireRequest } from './requests.js';
import type { Scale } from './scale.js';
import type { BenchStores, Target } from './stores.js';

/** The shared parts of all comparisons. */
export interface Stage {
  readonly scale: Scale;
  readonly stores: BenchStores;
  readonly programs: Programs;
  readonly channels: Channels;
  readonly signers: SimulatedChannels;
  /** Alipay payments, also in `requestsFile`; created at first use. */
  readonly requests: () => readonly WireRequest[];
  readonly requestsFile: string;
  /** The same as jobs of a gateway. */
  readonly jobs: () => readonly NewJob[];
  /** Queues `count` of them in Redis, starting with that number. */
  readonly fill: (target: Target, from: number, count: number) => Promise<void>;
  /** For requests of a single comparison. */
  readonly folder: string;
  readonly say: (line: string) => void;
}
