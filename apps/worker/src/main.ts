import { runProcess } from '@payonce/core/lifecycle';
import { createLog } from '@payonce/core/log';
import { readConfig } from './config.js';
import { startProcess } from './process.js';

/**
 * A batch takes milliseconds; one that hangs is rolled back and its jobs are taken again by another worker.
 * Shorter than the 20 s after which whoever sent the signal may kill.
 */
const DRAIN_LIMIT_MS = 18_000;

const log = createLog({ name: 'worker', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  reloads: true,
  start: async (lifecycle) => {
    await startProcess(readConfig(process.env), lifecycle, log);
  },
});
