import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fingerprint, matches } from '../auth/secrets.js';
import { reason } from '../schemas/fields.js';

/** The longest form is an action with its reason: 500 characters of any script, percent-encoded. */
const MAX_FORM_BYTES = 8 * 1_024;

/** Forms as browsers send them, for the scope in which it is called. */
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

/** The token must match. If the browser states the form's origin, it must be this one. */
export function isFromOurForm(request: FastifyRequest, expectedToken: string | undefined): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const token = formOf(request).get('formToken') ?? '';
  return !!expectedToken && matches(token, fingerprint(expectedToken));
}

/** The person's reason in one line, however it was typed; null when it cannot be stored. */
export function reasonIn(request: FastifyRequest): string | null {
  const text = formOf(request).get('reason')?.trim().replace(/\s+/g, ' ');
  return reason.safeParse(text).data ?? null;
}
