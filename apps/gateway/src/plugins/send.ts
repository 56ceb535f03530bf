import type { ProviderReply } from '@payonce/providers/provider';
import type { FastifyReply } from 'fastify';

/** Sends exactly these bytes: a Buffer, since Fastify adds a charset to the type of a text. */
export function send(
  reply: FastifyReply,
  { status, contentType, body }: ProviderReply,
): FastifyReply {
  reply.code(status);
  if (contentType !== null) reply.header('content-type', contentType);
  return body === '' ? reply.send() : reply.send(Buffer.from(body));
}

/** Like `send`, for a request that is refused unread: does not wait for the rest of the request. */
export function sendAndClose(reply: FastifyReply, answer: ProviderReply): FastifyReply {
  return send(reply.header('connection', 'close'), answer);
}
