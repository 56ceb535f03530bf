import type { FastifyInstance } from 'fastify';

/**
 * The body stays the bytes that came, whatever type it claims. For this scope only.
 * Alipay has sent content types that no strict parser takes (leancloud/cloud-code-alipay#4), and Fastify
 * refuses an ill-formed one before any parser is asked: so the header is not looked at at all.
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
