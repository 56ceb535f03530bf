import { runProcess } from '@payonce/core/lifecycle';
import { createLog } from '@payonce/core/log';
import { readConfig } from './config.js';
import { startProcess } from './process.js';

/** Longer than a batch may take (its transaction ends within 20 s); orchestrators kill after 30 s by custom. */
const DRAIN_LIMIT_MS = 25_000;

const log = createLog({ name: 'worker', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  start: async (lifecycle) => {
    await startProcess(readConfig(process.env), lifecycle, log);
  },
});
