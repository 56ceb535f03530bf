import type { FastifyRequest } from 'fastify';
import { rowId } from '../schemas/fields.js';

/** As many as a person looks through before adding a filter. */
export const ROWS_PER_PAGE = 50;

/** A person's text from an address. It never fails: an odd text finds nothing. */
export function textIn(request: FastifyRequest, name: string): string {
  const value = (request.query as Readonly<Record<string, unknown>>)[name];
  // PostgreSQL's text has no NUL. 128: longer than any number of an order or a trade.
  return typeof value === 'string' ? value.replaceAll('\0', '').trim().slice(0, 128) : '';
}

/** One of the choices, or undefined. */
export function choiceIn<Choice extends string>(
  request: FastifyRequest,
  name: string,
  choices: readonly Choice[],
): Choice | '' {
  const text = textIn(request, name);
  return choices.find((choice) => choice === text) ?? '';
}

export function cursorIn(request: FastifyRequest): bigint | undefined {
  return rowId.safeParse(textIn(request, 'cursor')).data;
}

/**
 * The page to which a form returns: a path of this console, or the page that the form names itself.
 */
export function localPath(path: string | null, otherwise: string): string {
  // `//host` and `/\host` are other hosts to a browser.
  return path !== null && /^\/(?![/\\])[\x21-\x7e]{0,2000}$/.test(path) ? path : otherwise;
}
