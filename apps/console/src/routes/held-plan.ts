import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { applyOperatorAction } from '@payonce/orders/notifications/held/operator';
import { z } from 'zod';
import { problem, problemSchema, sendProblem } from '../api/problems.js';
import type { TypedApp } from '../api/typed-app.js';
import { operatorOf } from '../plugins/auth.js';
import { merchantsOf } from '../plugins/merchants.js';
import { heldFilter, whereHeld } from '../reads/held-filter.js';
import { planHeld } from '../reads/held-plan.js';
import { auditFields } from '../schemas/fields.js';
import { executionView, type PlannedItem, planView, resultOf, summaryOf } from '../schemas/plan.js';

/** Some ten seconds of work: within a request's limit, and as many as a person reviews. */
const MAX_EVENTS = 1_000;
const DEFAULT_EVENTS = 100;

const planning = z.strictObject({
  action: z.enum(['retry', 'accept', 'reject']),
  filter: z.strictObject(heldFilter).default({}),
  max: z.int().min(1).max(MAX_EVENTS).default(DEFAULT_EVENTS),
});

const executing = planning.extend({
  ...auditFields.shape,
  /** From the response to the plan. */
  plan: z.string().regex(/^[0-9a-f]{64}$/, 'must be the plan of the response'),
});

const changed = problem(
  409,
  'plan_changed',
  'The plan is out of date: the action would now have other results. Nothing was done. Plan it again.',
);
const reasonNeeded = problem(400, 'invalid_request', 'A final decision needs a reason.', [
  { field: 'reason', message: 'is needed to accept or reject' },
]);

const config = { access: 'operate', merchants: 'listed' } as const;
const tags = ['held events'];

/** Actions on many held events: first a plan of the results, then exactly that plan. */
export async function heldPlanRoutes(api: TypedApp, deps: DatabaseDeps): Promise<void> {
  plan(api, deps);
  execute(api, deps);
}

function plan(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/held-events/plan',
    {
      config,
      schema: {
        operationId: 'planHeldEvents',
        summary: 'Plan an action on many held events; changes nothing',
        description:
          'Evaluates the oldest `max` events that match, in transactions that are rolled back.',
        tags,
        body: planning,
        response: { 200: planView },
      },
    },
    async (request) => {
      const { action, filter, max } = request.body;
      const operator = operatorOf({ actor: request.actor, body: {} });
      const where = whereHeld(filter, merchantsOf(request));
      const plan = await planHeld(deps, { action, where, max, operator });
      const { digest, items, more } = plan;
      return { plan: digest, summary: summaryOf(items, more), items: [...items] };
    },
  );
}

function execute(api: TypedApp, deps: DatabaseDeps): void {
  api.post(
    '/held-events/execute',
    {
      config,
      schema: {
        operationId: 'executeHeldEvents',
        summary: 'Execute a plan, event by event',
        description:
          'Send the same `action`, `filter` and `max` as for the plan. Accepting and rejecting need a `reason`. Events that the action would not change stay as they are. Each other event is decided in a separate transaction, with an audit row.',
        tags,
        body: executing,
        response: { 200: executionView, 409: problemSchema },
      },
    },
    async (request, reply) => {
      const { action, filter, max, plan, reason } = request.body;
      if (action !== 'retry' && reason === undefined) return sendProblem(reply, reasonNeeded);
      const operator = operatorOf(request);
      const where = whereHeld(filter, merchantsOf(request));
      const found = await planHeld(deps, { action, where, max, operator });
      if (found.digest !== plan) return sendProblem(reply, changed);
      const items: PlannedItem[] = [];
      for (const [index, item] of found.items.entries()) {
        const command = found.commands[index];
        const leftAlone = command === undefined || !item.changes;
        const result = leftAlone
          ? item
          : resultOf(await applyOperatorAction(deps, action, command), item.holdReason);
        items.push({ ...item, ...result });
      }
      return { summary: summaryOf(items, found.more), items };
    },
  );
}
