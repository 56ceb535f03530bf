import type { DatabaseDeps } from '@payonce/core/database/deps';
import { HOLD_REASONS } from '@payonce/core/notifications/notification';
import type { FastifyInstance } from 'fastify';
import { heldPage } from '../../pages/held.js';
import { contextOf, sendPage } from '../../pages/page-context.js';
import { choiceIn, cursorIn, textIn } from '../../pages/query.js';
import { merchantsOf } from '../../plugins/merchants.js';
import { readHeldEvents, withOrders } from '../../reads/held-events.js';

/** As many as a person looks through before adding a filter. */
const ROWS = 50;

export async function heldPageRoutes(
  app: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  app.get('/held', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      reason: choiceIn(request, 'reason', HOLD_REASONS),
      merchant: textIn(request, 'merchant'),
      channel: textIn(request, 'channel'),
      orderNumber: textIn(request, 'order'),
      cursor: cursorIn(request),
    };
    const { rows, nextCursor } = await readHeldEvents(prisma, merchantsOf(request), query, ROWS);
    const page = { rows: await withOrders(prisma, rows), nextCursor };
    return sendPage(reply, heldPage(contextOf(request), query, page));
  });
}
