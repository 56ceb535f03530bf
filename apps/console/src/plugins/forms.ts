import type { FastifyInstance, FastifyRequest } from 'fastify';
import { reason } from '../api/fields.js';
import { fingerprint, matches } from '../auth/secrets.js';

/** The longest form is an action with its reason: 500 characters of any script, percent-encoded. */
const MAX_FORM_BYTES = 8 * 1_024;

/** Forms as browsers send them, for the scope that it is called in. */
export function takeForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
}

export function formOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
}

/** The token must match; and where the browser says who sent the form, it must have been this origin. */
export function isFromOurForm(request: FastifyRequest, expectedToken: string | undefined): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const token = formOf(request).get('formToken') ?? '';
  return !!expectedToken && matches(token, fingerprint(expectedToken));
}

/** Why the person decides so, in one line however it was typed; null when nothing fit to keep was said. */
export function reasonIn(request: FastifyRequest): string | null {
  const text = formOf(request).get('reason')?.trim().replace(/\s+/g, ' ');
  return reason.safeParse(text).data ?? null;
}
