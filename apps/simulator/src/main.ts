import { type Lifecycle, runProcess } from '@payonce/core/runtime/lifecycle';
import { createLog, type Log } from '@payonce/core/runtime/log';
import { ensureSimulatedChannels } from '@payonce/testkit/channels/channels';
import { buildApp } from './app.js';
import { readConfig, type SimulatorConfig } from './config.js';
import { createPlayer } from './player.js';
import { createSendings } from './sendings.js';

/** Everything in flight is abandoned at once; this limit is for the open connections. */
const DRAIN_LIMIT_MS = 5_000;
/** About 2 MiB of memory. */
const REMEMBERED_SENDINGS = 2_000;

const log = createLog({ name: 'simulator', level: process.env.PAYONCE_LOG_LEVEL });
await runProcess(log, {
  drainLimitMs: DRAIN_LIMIT_MS,
  start: (lifecycle) => start(readConfig(process.env), lifecycle, log),
});

async function start(config: SimulatorConfig, lifecycle: Lifecycle, log: Log): Promise<void> {
  const { gatewayUrl, timeCompression } = config;
  const channels = await ensureSimulatedChannels(config.directory);
  const sendings = createSendings(REMEMBERED_SENDINGS);
  const player = createPlayer({ gatewayUrl, channels, sendings, timeCompression });
  const app = await buildApp({ player, sendings, log });
  await app.listen({ host: config.host, port: config.port });
  lifecycle.onStop('API', () => app.close());
  // Stopped first: requests that wait for a retry end with it.
  lifecycle.onStop('sendings under way', () => player.stop());
  log.info(
    { host: config.host, port: config.port, gatewayUrl, timeCompression },
    'process.started',
  );
}
