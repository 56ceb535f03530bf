import { runProcess } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import { readConfig } from './config.js';
import { start } from './start.js';

/** A request ends within 5 s, and its queueing within 2 s more. */
const DRAIN_LIMIT_MS = 10_000;

const log = createLog({ name: 'gateway', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  reloads: true,
  start: async (lifecycle) => {
    await start(readConfig(process.env), lifecycle, log);
  },
});
