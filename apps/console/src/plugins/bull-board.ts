import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { BullQueue } from '@payonce/core/queue/bull-queue';
import type { BullReportQueue } from '@payonce/core/queue/report-queue';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { problem, sendProblem } from '../api/problems.js';
import { maskBoardResponse } from '../masking/board.js';
import { maskJobData, maskReturnValue } from '../masking/job.js';
import { maskReport } from '../masking/report.js';

export const BOARD_PATH = '/queues';

export interface Board {
  /** Shows a queue from now on: it may connect long after the console has begun to serve. */
  show(queue: BullQueue, store: string): void;
  showReports(queue: BullReportQueue, store: string): void;
  readonly plugin: (app: FastifyInstance) => Promise<void>;
}

/**
 * Bull Board for reading only. It could empty a queue, so each adapter is read-only. In addition, a
 * hook stops every request that could change something.
 */
export function createBoard(): Board {
  const server = new FastifyAdapter();
  server.setBasePath(BOARD_PATH);
  const { addQueue } = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'payonce queues',
        hideDocsLink: true,
        miscLinks: [{ text: 'Console', url: '/' }],
      },
    },
  });
  return {
    show: (queue, store) => addQueue(readOnlyAdapter(queue, store, maskJobData)),
    showReports: (queue, store) => addQueue(readOnlyAdapter(queue, store, maskReport)),
    async plugin(app) {
      app.addHook('onRequest', async (request, reply) => {
        if (request.method === 'GET' || request.method === 'HEAD') return;
        reply.header('allow', 'GET, HEAD');
        return sendProblem(reply, problem(405, 'read_only', 'The queues are read-only here.'));
      });
      app.addHook('preSerialization', async (_request, _reply, payload) =>
        maskBoardResponse(payload),
      );
      await app.register(server.registerPlugin());
    },
  };
}

function readOnlyAdapter(
  queue: BullQueue | BullReportQueue,
  store: string,
  maskData: (data: unknown) => unknown,
): BullMQAdapter {
  // The board's types know BullMQ on Redis only; it serves the PostgreSQL backend as well. It
  // distinguishes queues by name, and ours has the same name in every store and shard.
  const adapter = new BullMQAdapter(queue as Queue, { readOnlyMode: true, prefix: `${store}-` });
  adapter.setFormatter('data', maskData);
  adapter.setFormatter('returnValue', maskReturnValue);
  adapter.setFormatter('progress', maskReturnValue);
  return adapter;
}
