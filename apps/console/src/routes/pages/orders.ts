import type { DatabaseDeps } from '@payonce/core/database/deps';
import { ORDER_STATUSES } from '@payonce/core/orders/order';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { merchant, orderNumber } from '../../api/fields.js';
import { orderPage } from '../../pages/order.js';
import { ordersPage } from '../../pages/orders.js';
import { contextOf, sendPage } from '../../pages/page-context.js';
import { choiceIn, cursorIn, textIn } from '../../pages/query.js';
import { merchantsOf } from '../../plugins/merchants.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { readOrders } from '../../reads/order-list.js';
import { readOrderWithTimeline } from '../../reads/timeline.js';
import { ofOrder, unknownOrder } from '../orders.js';

const ROWS = 50;
const params = z.object({ merchant, number: orderNumber });

export async function orderPageRoutes(
  instance: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get('/orders', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      search: textIn(request, 'search'),
      status: choiceIn(request, 'status', ORDER_STATUSES),
      merchant: textIn(request, 'merchant'),
      cursor: cursorIn(request),
    };
    const attentionOnly = textIn(request, 'attention') === 'only';
    const attention = attentionOnly ? 'any' : undefined;
    const page = await readOrders(prisma, merchantsOf(request), { ...query, attention }, ROWS);
    return sendPage(reply, ordersPage(contextOf(request), { ...query, attentionOnly }, page));
  });

  const one = { config: { merchants: ofOrder }, schema: { params } };
  app.get('/orders/:merchant/:number', one, async (request, reply) => {
    const found = await readOrderWithTimeline(prisma, request.params);
    if (found === null) return sendRefusal(request, reply, unknownOrder);
    return sendPage(
      reply,
      orderPage(contextOf(request), found.order, found.timeline, found.trades),
    );
  });
}
