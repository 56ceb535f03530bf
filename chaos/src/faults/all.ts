import { clockFaults } from './clock-skew.js';
import { consumerFaults } from './consumer.js';
import type { Fault } from './fault.js';
import { linkFaults } from './links.js';
import { processFaults } from './processes.js';
import { storeFaults } from './stores.js';
import { trafficFaults } from './traffic.js';

/** In the order of the first pass; `last-resend` needs something old to send. */
export const ALL_FAULTS: readonly Fault[] = [
  ...processFaults,
  ...storeFaults,
  ...linkFaults,
  ...consumerFaults,
  ...clockFaults,
  ...trafficFaults,
];
