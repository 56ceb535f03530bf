import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/**
 * The strictest policy under which our pages and Bull Board's work: everything from this origin, no
 * inline script, no third party. It refuses the font that Bull Board requests from Google, so that
 * no operator's browser tells Google about this console; the page then uses the system's font.
 */
export async function addSecurityHeaders(app: FastifyInstance, https: boolean): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      // The defaults include `upgrade-insecure-requests`, which breaks plain http off localhost.
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: https ? { maxAge: 31_536_000 } : false,
  });
  // All content here concerns payments: no cache stores it, except the named static files.
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
}
