import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { TradeCommand } from '@payonce/orders/notifications/trade-outcome';
import { changeTrade, previewTrade } from '@payonce/orders/notifications/trade-release';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { merchant } from '../../api/fields.js';
import { orderPath } from '../../pages/parts/links.js';
import { toldOfTrade, tradePage, whyNot } from '../../pages/trade.js';
import { sendPage, sessionOf, viewOf } from '../../pages/view.js';
import { formOf, reasonIn } from '../../plugins/forms.js';
import { sendRefusal } from '../../plugins/page-errors.js';
import { ofOrder } from '../orders.js';
import { tradeParams, whyNotChanged } from '../trades.js';

const params = tradeParams.extend({ merchant });
const config = { access: 'session', role: 'operate', merchants: ofOrder } as const;
const seenVersion = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

/** Releases a trade or reinstates it, each after a page with the effects. */
export async function tradePageRoutes(
  instance: FastifyInstance,
  deps: DatabaseDeps,
): Promise<void> {
  const app = instance.withTypeProvider<ZodTypeProvider>();

  for (const action of ['release', 'reinstate'] as const) {
    const path = `/orders/:merchant/:number/trades/:rail/:trade/${action}`;

    const show = async (
      request: FastifyRequest & { readonly params: z.output<typeof params> },
      reply: FastifyReply,
      fault: string | null,
    ) => {
      const { merchant, number, rail, trade } = request.params;
      const command = { ...asker(request, null), ...request.params };
      const outcome = await previewTrade(deps, action, command);
      if (outcome.result !== 'done') return refuse(request, reply, command, outcome);
      const { currency } = await deps.prisma.order.findUniqueOrThrow({
        where: { merchant_number: { merchant, number } },
      });
      const order = { merchant, number, currency };
      const asked = { order, trade: { rail, trade }, action, effect: outcome.effect, fault };
      return sendPage(reply, tradePage(viewOf(request), asked));
    };

    app.get(path, { config, schema: { params } }, (request, reply) => show(request, reply, null));

    app.post(path, { config, schema: { params } }, async (request, reply) => {
      const reason = reasonIn(request);
      if (reason === null) {
        return show(request, reply.code(400), viewOf(request).t('decide.reasonMissing'));
      }
      const version = seenVersion.safeParse(formOf(request).get('version')).data;
      const command = { ...asker(request, reason), ...request.params, version };
      const outcome = await changeTrade(deps, action, command);
      if (outcome.result !== 'done') return refuse(request, reply, command, outcome);
      sessionOf(request).flash = { good: true, text: toldOfTrade(viewOf(request), action) };
      return reply.redirect(orderPath(command.merchant, command.number), 303);
    });
  }
}

function asker(request: FastifyRequest, reason: string | null) {
  return { actor: sessionOf(request).user, reason };
}

/** An unknown object gets an error page; other refusals lead back to the order, which shows why. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { merchant, number }: TradeCommand,
  outcome: Parameters<typeof whyNotChanged>[0],
): FastifyReply {
  const why = whyNotChanged(outcome);
  if (why.status === 404) return sendRefusal(request, reply, why);
  sessionOf(request).flash = { good: false, text: whyNot(viewOf(request), outcome.result) };
  return reply.redirect(orderPath(merchant, number), 303);
}
