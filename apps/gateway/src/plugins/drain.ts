import type { FastifyInstance } from 'fastify';

/**
 * Once the server closes, every reply ends its connection. Node closes only the connections that
 * are idle at that moment. A busy one would be kept alive after its reply, and the process with it.
 */
export function closeConnectionsWhileDraining(app: FastifyInstance): void {
  let draining = false;
  app.addHook('preClose', async () => {
    draining = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close');
  });
}
