import type { DatabaseDeps } from '@payonce/core/database/deps';
import { redeliverDelivery } from '@payonce/core/deliveries/redeliver';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DELIVERY_STATES } from '../../api/delivery-views.js';
import { rowId } from '../../api/fields.js';
import { deliveriesPage } from '../../pages/deliveries.js';
import { deliveryPage } from '../../pages/delivery.js';
import { contextOf, sendPage, sessionOf } from '../../pages/page-context.js';
import { choiceIn, cursorIn, localPath, textIn } from '../../pages/query.js';
import { formOf } from '../../plugins/forms.js';
import { merchantsOf } from '../../plugins/merchants.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { nothingHere } from '../../plugins/problems.js';
import { readDeliveries, readDelivery } from '../../reads/delivery-list.js';

const ROWS = 50;
const params = z.object({ id: rowId });
const merchants = { row: 'delivery', unknown: nothingHere } as const;
const config = { access: 'session', role: 'operate', merchants } as const;

export async function deliveryPageRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  app.get('/deliveries', { config: { merchants: 'listed' } }, async (request, reply) => {
    const query = {
      state: choiceIn(request, 'state', DELIVERY_STATES),
      endpointName: textIn(request, 'endpoint'),
      orderNumber: textIn(request, 'order'),
      cursor: cursorIn(request),
    };
    const page = await readDeliveries(deps.prisma, merchantsOf(request), query, ROWS);
    return sendPage(reply, deliveriesPage(contextOf(request), query, page));
  });

  app.get(
    '/deliveries/:id',
    { config: { merchants }, schema: { params } },
    async (request, reply) => {
      const row = await readDelivery(deps.prisma, request.params.id);
      if (row === null) return sendRefusal(request, reply, nothingHere);
      return sendPage(reply, deliveryPage(contextOf(request), row));
    },
  );

  app.post('/deliveries/:id/redeliver', { config, schema: { params } }, async (request, reply) => {
    const session = sessionOf(request);
    const delivery = request.params.id;
    const { result } = await redeliverDelivery(deps, {
      actor: session.user,
      reason: null,
      delivery,
    });
    const { t } = contextOf(request);
    session.flash = { good: result === 'done', text: t(`redelivered.${result}`) };
    return reply.redirect(localPath(formOf(request).get('back'), `/deliveries/${delivery}`), 303);
  });
}
