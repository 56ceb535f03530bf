import { runProcess } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import { readConfig } from './config.js';
import { start } from './start.js';

/** Requests end within 10 s by their limits. */
const DRAIN_LIMIT_MS = 15_000;

const log = createLog({ name: 'console', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  start: (lifecycle) => start(readConfig(process.env), lifecycle, log),
});
