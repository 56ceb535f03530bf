import type { ProviderReply } from '@payonce/providers/provider';
import type { FastifyReply } from 'fastify';

/** Sends exactly these bytes: a Buffer, since Fastify adds a charset to the type of a text. */
export function sendReply(
  reply: FastifyReply,
  { status, contentType, body }: ProviderReply,
): FastifyReply {
  reply.code(status);
  if (contentType !== null) reply.header('content-type', contentType);
  return body === '' ? reply.send() : reply.send(Buffer.from(body));
}
