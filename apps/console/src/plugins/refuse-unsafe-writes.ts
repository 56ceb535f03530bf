import type { FastifyInstance } from 'fastify';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** They keep what they change in this process, or in the browser. */
const IN_NO_DATABASE = new Set(['/login', '/logout', '/language']);

/**
 * What a person or a program is told to be done must stay done: while the database is not fit, what would write
 * is answered with 503. Reads go on.
 * @param assure resolves when what is written stays. @throws AppError `database_unavailable`
 */
export function refuseUnsafeWrites(app: FastifyInstance, assure: () => Promise<void>): void {
  // After authentication, so that nobody learns the database's state without it.
  app.addHook('preHandler', async ({ method, routeOptions }) => {
    if (READS.has(method) || IN_NO_DATABASE.has(routeOptions.url ?? '')) return;
    await assure();
  });
}
