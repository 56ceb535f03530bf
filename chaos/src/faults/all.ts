import { clockFaults } from './clock-skew.js';
import { consumerFaults } from './consumer.js';
import type { Fault } from './fault.js';
import { formerFaults } from './former.js';
import { frozenFaults } from './frozen.js';
import { linkFaults } from './links.js';
import { lockFaults } from './locks.js';
import { postgresFaults } from './postgres.js';
import { processFaults } from './processes.js';
import { rewindFaults } from './rewinds.js';
import { storeFaults } from './stores.js';
import { strangerFaults } from './strangers.js';
import { trafficFaults } from './traffic.js';
import { workerClockFaults } from './worker-clock.js';

/** In the order of the first pass; `last-resend` needs an old notification to send. */
export const ALL_FAULTS: readonly Fault[] = [
  ...processFaults,
  ...storeFaults,
  ...postgresFaults,
  ...linkFaults,
  ...consumerFaults,
  ...clockFaults,
  ...workerClockFaults,
  ...lockFaults,
  ...frozenFaults,
  ...formerFaults,
  ...rewindFaults,
  ...strangerFaults,
  ...trafficFaults,
];
