import type { FastifyInstance } from 'fastify';
import { homePage } from '../pages/home.js';
import { STYLESHEET } from '../pages/layout.js';
import { sendPage } from './login.js';

export async function homeRoutes(app: FastifyInstance): Promise<void> {
  app.get('/', (request, reply) => {
    // The guard lets nobody through without one.
    if (request.session === null) throw new Error('no session behind the guard');
    return sendPage(reply, homePage(request.session));
  });

  app.get('/assets/console.css', { config: { access: 'public' } }, (_request, reply) =>
    reply
      .type('text/css; charset=utf-8')
      .header('cache-control', 'public, max-age=300')
      .send(STYLESHEET),
  );
}
