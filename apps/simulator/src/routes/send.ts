import { randomInt } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type SendInput, type SequenceInput, sendInput, sequenceInput } from '../messages.js';
import type { Played, Player } from '../player.js';
import { faultsOf } from './faults.js';

/** `POST /send`: one message. `POST /sequence`: several, in a chosen order. */
export async function sendRoutes(app: FastifyInstance, { player }: { player: Player }) {
  app.post('/send', async (request, reply) => {
    const input = sendInput.safeParse(request.body);
    if (!input.success) return reply.code(400).send(faultsOf(input.error));
    return respond(reply, await player.play(input.data));
  });

  app.post('/sequence', async (request, reply) => {
    const input = sequenceInput.safeParse(request.body);
    if (!input.success) return reply.code(400).send(faultsOf(input.error));
    const steps = inOrder(input.data);
    const results = await deliver(steps, input.data.deliver === 'at_once', player);
    return { steps: results };
  });
}

function respond(reply: FastifyReply, played: Played) {
  switch (played.outcome) {
    case 'played':
      return reply.code(played.retrying ? 202 : 200).send(played);
    case 'impossible':
      return reply.code(400).send({ error: 'impossible', faults: [played.why] });
    case 'too_busy':
      return reply.code(429).send({ error: 'too_busy', faults: ['too many ladders are running'] });
  }
}

interface Numbered {
  /** Its place in the request, from 0. */
  readonly step: number;
  readonly input: SendInput;
}

/** Fisher and Yates for `shuffled`. */
function inOrder({ steps, deliver }: SequenceInput): Numbered[] {
  const numbered = steps.map((input, step) => ({ step, input }));
  if (deliver === 'reversed') return numbered.reverse();
  if (deliver !== 'shuffled') return numbered;
  const rest = [...numbered];
  return numbered.flatMap(() => rest.splice(randomInt(rest.length), 1));
}

/** @returns results in the order of delivery */
async function deliver(steps: Numbered[], atOnce: boolean, player: Player) {
  const play = async ({ step, input }: Numbered) => ({ step, ...(await player.play(input)) });
  if (atOnce) return Promise.all(steps.map(play));
  const results = [];
  for (const step of steps) results.push(await play(step));
  return results;
}
