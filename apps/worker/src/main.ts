import { runProcess } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import { readConfig } from './config.js';
import { start } from './start.js';

/**
 * A batch takes milliseconds. A hanging one is rolled back, and another worker takes its jobs.
 * Shorter than the 20 s after which the sender of the signal may kill the process.
 */
const DRAIN_LIMIT_MS = 18_000;

const log = createLog({ name: 'worker', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  reloads: true,
  start: async (lifecycle) => {
    await start(readConfig(process.env), lifecycle, log);
  },
});
