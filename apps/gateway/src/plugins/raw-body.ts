import type { FastifyInstance } from 'fastify';

/**
 * Keeps the body as received bytes, whatever type it claims. For this scope only. Alipay has sent
 * content types that no strict parser takes (leancloud/cloud-code-alipay#4). Fastify refuses a
 * malformed one before it calls a parser, so this removes the header.
 */
export function acceptRawBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  scope.addHook('onRequest', async (request) => {
    delete request.raw.headers['content-type'];
  });
}
