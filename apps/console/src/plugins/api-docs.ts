import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

const DOCS_PATH = '/docs';

/**
 * The API's description for people who have logged in; it contains nothing of any merchant. From
 * this origin, under the policy of every page.
 */
export async function showApiDocs(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, merchants: 'none' };
  });
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    // Without the bar that loads other descriptions.
    uiConfig: { deepLinking: true, layout: 'BaseLayout' },
    theme: { title: 'payonce: private API' },
  });
}
