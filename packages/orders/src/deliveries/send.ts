/** One try of one delivery. */
import type { Clock } from '@payonce/core/runtime/clock';
import { withDeadline } from '@payonce/core/runtime/deadline';
import type { Claimed, Target } from './claim.js';
import { isHandler } from './endpoint-url.js';
import { type Message, messageId, messageOf } from './messages.js';
import { type Poster, unanswered } from './post.js';
import type { Answer, Attempt } from './record.js';
import { ATTEMPT_LIMIT_MS } from './retry.js';
import { signedHeaders } from './sign.js';

/**
 * A merchant's system inside the process that embeds payonce. It accepts a message by resolving;
 * any error means that it wants a retry. A message may come more than once, as over HTTP, with the
 * same `id`.
 */
export type Handler = (message: Message, about: { readonly id: string }) => Promise<void>;

export interface SendDeps {
  readonly clock: Clock;
  readonly poster: Poster;
  readonly handlers: ReadonlyMap<string, Handler>;
}

/** Never throws. */
export async function send(deps: SendDeps, target: Target, delivery: Claimed): Promise<Attempt> {
  const at = deps.clock();
  const start = performance.now();
  const answer = await answerTo(deps, target, delivery, at).catch(unanswered);
  const durationMs = Math.round(performance.now() - start);
  return { delivery, target, at, durationMs, answer };
}

async function answerTo(
  { poster, handlers }: SendDeps,
  { url, secrets }: Target,
  delivery: Claimed,
  now: Date,
): Promise<Answer> {
  const { orderEventId, createdAt } = delivery;
  const message = messageOf(delivery);
  if (message === null) {
    return { ...unanswered('this version cannot read the stored payload'), unsent: true };
  }
  const id = messageId({ id: orderEventId, createdAt });
  if (!isHandler(url)) {
    const body = JSON.stringify(message);
    return poster.post(url, signedHeaders({ id, body }, now, secrets), body, now);
  }
  const handler = handlers.get(url.slice('handler:'.length));
  if (handler === undefined) throw new Error('there is no such handler in this process');
  await withDeadline(handler(message, { id }), ATTEMPT_LIMIT_MS, 'the handler');
  return { delivered: true, status: null, error: null, response: null, retryAfterMs: null };
}
