import type { FastifyInstance } from 'fastify';

/**
 * A refusal closes its connection: nobody waits for the rest of the request, and a stranger holds
 * no socket. So does every reply once the server closes. Node closes only the connections that are
 * idle at that moment. A busy one would be kept alive after its reply, and the process with it.
 */
export function closeConnections(app: FastifyInstance): void {
  let draining = false;
  app.addHook('preClose', async () => {
    draining = true;
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    const refused = reply.statusCode >= 400 && reply.statusCode < 500;
    if (draining || refused) reply.header('connection', 'close');
    done();
  });
}
