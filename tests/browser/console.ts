import { randomBytes } from 'node:crypto';
import { readQueueSettings } from '@payonce/core/queue/queue-settings';
import { queueName, queuesOf } from '@payonce/core/queue/shards';
import { systemClock } from '@payonce/core/runtime/clock';
import { createLifecycle } from '@payonce/core/runtime/lifecycle';
import { createLog } from '@payonce/core/runtime/log';
import { buildApp } from '../../apps/console/src/app.js';
import { createBacklog } from '../../apps/console/src/backlog.js';
import { showQueues } from '../../apps/console/src/bull-board-queues.js';
import { createBoard } from '../../apps/console/src/plugins/bull-board.js';
import type { Shop } from '../shop.js';

export interface RunningConsole {
  readonly url: string;
  readonly password: string;
  close(): Promise<void>;
}

/** The console of a shop, listening, like a separate process. */
export async function startConsole(shop: Shop): Promise<RunningConsole> {
  const password = randomBytes(12).toString('hex');
  const log = createLog({ name: 'console', level: 'silent' });
  const lifecycle = createLifecycle(log);
  const queues = queuesOf(
    readQueueSettings({
      ...shop.servers.redis,
      PAYONCE_QUEUE_PREFIX: shop.role,
    }),
  );
  const board = createBoard();
  const backlog = createBacklog(queues.map(queueName));
  for (const settings of queues) showQueues(settings, board, backlog, lifecycle, log);
  const app = await buildApp({
    config: {
      user: 'operator',
      password,
      apiKey: randomBytes(32).toString('hex'),
      https: false,
      trustedProxies: [],
      identity: null,
      channelsFile: null,
      encryptionKeys: null,
      webhookNetworks: [],
    },
    prisma: shop.prisma,
    board,
    backlog,
    log,
    clock: systemClock,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    password,
    close: async () => {
      await app.close();
      await lifecycle.stop();
    },
  };
}
