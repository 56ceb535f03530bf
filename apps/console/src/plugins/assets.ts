import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { fingerprint } from '../auth/secrets.js';

/** The path is the same from `src` and `dist`. */
const OURS = join(import.meta.dirname, '..', '..', 'assets');
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot'));

/**
 * All files that the pages load, by name: a closed list, so that no address can reach another file.
 */
const FILES: readonly (readonly [name: string, folder: string])[] = [
  ['console.css', OURS],
  ['icon.svg', OURS],
  ['live.js', OURS],
  ['chart.js', OURS],
  ['uPlot.min.css', UPLOT],
  ['uPlot.esm.js', UPLOT],
];

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The login page needs some of them, and none is secret. */
export async function assetRoutes(app: FastifyInstance): Promise<void> {
  for (const [name, folder] of FILES) {
    const content = await readFile(join(folder, name));
    const etag = `"${fingerprint(content.toString('utf8')).toString('base64url').slice(0, 22)}"`;
    app.get(`/assets/${name}`, { config: { access: 'public' } }, (request, reply) => {
      // Browsers ask again each time; the file is sent only after a change.
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(TYPES[extname(name)] ?? 'application/octet-stream').send(content);
    });
  }
}
