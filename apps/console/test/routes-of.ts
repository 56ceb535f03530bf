import type { FastifyInstance } from 'fastify';

/** `GET /v1/orders/{number}` and the like, read from Fastify's route tree. */
export function routesOf(app: FastifyInstance): string[] {
  const above: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods = ''] =
        /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/.exec(line) ?? [];
      const depth = indent.length / 4;
      above[depth] = part;
      const path = above
        .slice(0, depth + 1)
        .join('')
        .replaceAll(/:(\w+)/g, '{$1}');
      return methods
        .split(', ')
        .flatMap((method) => (method && method !== 'HEAD' ? `${method} ${path}` : []));
    });
}
