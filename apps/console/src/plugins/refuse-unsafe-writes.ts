import type { FastifyInstance } from 'fastify';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Their changes stay in this process, or in the browser. */
const IN_NO_DATABASE = new Set(['/login', '/logout', '/language']);

/**
 * A confirmed action must be permanent. While the database is not fit, requests that would write
 * get 503. Reads go on.
 * @param assure resolves when the database keeps what is written. @throws AppError
 * `database_unavailable`
 */
export function refuseUnsafeWrites(app: FastifyInstance, assure: () => Promise<void>): void {
  // After authentication, so that strangers do not learn the database's state.
  app.addHook('preHandler', async ({ method, routeOptions }) => {
    if (READS.has(method) || IN_NO_DATABASE.has(routeOptions.url ?? '')) return;
    await assure();
  });
}
