import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { TradeOutcome } from '@payonce/orders/notifications/trades/trade-outcome';
import {
  changeTrade,
  previewTrade,
  type TradeAction,
} from '@payonce/orders/notifications/trades/trade-release';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Problem, problem, problemSchema, sendProblem } from '../api/problems.js';
import { tradeEffectView, viewOfEffect } from '../api/trade-views.js';
import type { TypedApp } from '../api/typed-app.js';
import { operatorOf } from '../plugins/auth.js';
import { decisionFields, line } from '../schemas/fields.js';
import { ofMerchant, ofOrder, orderParams, unknownOrder } from './orders.js';

export const tradeParams = orderParams.extend({
  rail: z.enum(['alipay', 'wechat']),
  trade: line(64),
});

const executing = decisionFields.extend({
  /** The order's version that the caller saw: an order that has changed since is left unchanged. */
  version: z.int().min(0).optional(),
});

const WORDS: Readonly<Record<TradeAction, { foresee: string; change: string; about: string }>> = {
  release: {
    foresee: 'Preview the release of a trade; changes nothing',
    change: 'Release a trade that does not pay this order',
    about:
      'The trade no longer counts for this order, even if later notifications name it. Another order of the merchant can claim it.',
  },
  reinstate: {
    foresee: 'Preview reinstating a trade; changes nothing',
    change: 'Reinstate a released trade',
    about: 'The trade counts again; `order.paid` may be sent again.',
  },
};

const config = { access: 'operate', merchants: ofOrder } as const;
const described = { tags: ['orders'], params: tradeParams, querystring: ofMerchant };
const response = { 200: tradeEffectView, 404: problemSchema, 409: problemSchema };

/** A trade that pays the wrong order: first a dry run, and then the same for real. */
export async function tradeRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  for (const action of ['release', 'reinstate'] as const) {
    preview(api, deps, action);
    change(api, deps, action);
  }
}

function pathOf(action: TradeAction): string {
  return `/orders/:number/trades/:rail/:trade/${action}`;
}

function preview(api: TypedApp, deps: DatabaseDeps, action: TradeAction): void {
  api.get(
    pathOf(action),
    {
      config,
      schema: {
        operationId: action === 'release' ? 'foreseeRelease' : 'foreseeReinstatement',
        summary: WORDS[action].foresee,
        description: 'Runs the change in a transaction that is rolled back.',
        ...described,
        response,
      },
    },
    async (request, reply) => {
      const operator = operatorOf({ actor: request.actor, body: {} });
      const command = { ...operator, ...request.query, ...request.params };
      return sendOutcome(reply, await previewTrade(deps, action, command));
    },
  );
}

function change(api: TypedApp, deps: DatabaseDeps, action: TradeAction): void {
  api.post(
    pathOf(action),
    {
      config,
      schema: {
        operationId: action === 'release' ? 'releaseTrade' : 'reinstateTrade',
        summary: WORDS[action].change,
        description: WORDS[action].about,
        ...described,
        body: executing,
        response,
      },
    },
    async (request, reply) => {
      const { version } = request.body;
      const command = { ...operatorOf(request), ...request.query, ...request.params, version };
      return sendOutcome(reply, await changeTrade(deps, action, command));
    },
  );
}

function sendOutcome(reply: FastifyReply, outcome: TradeOutcome): FastifyReply {
  if (outcome.result !== 'done') return sendProblem(reply, tradeProblem(outcome));
  return reply.code(200).send(viewOfEffect(outcome.effect, outcome.again));
}

/** Also for the page. */
export function tradeProblem(outcome: Exclude<TradeOutcome, { result: 'done' }>): Problem {
  switch (outcome.result) {
    case 'unknown_order':
      return unknownOrder;
    case 'unknown_trade':
      return problem(404, 'unknown_trade', 'This order has no such trade.');
    case 'order_changed': {
      const detail = `The order has changed: its version is now ${outcome.version}. Look at it again.`;
      return problem(409, 'order_changed', detail);
    }
    case 'not_released':
      return problem(409, 'not_released', 'The trade was not released.');
    case 'trade_taken': {
      const owner = outcome.owner === null ? 'Another order' : `The order ${outcome.owner}`;
      return problem(409, 'trade_taken', `${owner} has the trade now. Release it there first.`);
    }
  }
}
