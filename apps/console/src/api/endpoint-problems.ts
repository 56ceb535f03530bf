import type { UrlFault } from '@payonce/orders/endpoints/url';
import { invalidRequest, type Problem, problem } from './problems.js';

/** Why an action on an endpoint was refused. */
export type EndpointRefusal =
  | {
      readonly result:
        | 'unknown_endpoint'
        | 'managed_by_file'
        | 'name_taken'
        | 'has_no_secret'
        | 'invalid_secret'
        | 'no_encryption_key';
    }
  | { readonly result: 'invalid_url'; readonly why: UrlFault };

const URL_FAULTS: Readonly<Record<UrlFault, string>> = {
  not_a_url: 'must be https://… of at most 2,048 characters',
  not_https: 'must be https, or in a network of PAYONCE_WEBHOOK_ALLOW_NETWORKS',
  credentials: 'must not contain a user or a password: order events are signed instead',
  address_refused: 'is neither a public address nor in PAYONCE_WEBHOOK_ALLOW_NETWORKS',
  other_kind: 'must stay of its kind: a handler, or an address',
};

export function problemOfEndpoint(refusal: EndpointRefusal): Problem {
  switch (refusal.result) {
    case 'unknown_endpoint':
      return problem(404, 'unknown_endpoint', 'There is no such endpoint.');
    case 'managed_by_file':
      return problem(
        409,
        'managed_by_file',
        'The endpoint is declared in the channel file. Change it there.',
      );
    case 'name_taken':
      return problem(409, 'name_taken', 'The merchant already has an endpoint of this name.');
    case 'has_no_secret':
      return problem(409, 'has_no_secret', 'A handler runs inside the process and has no secret.');
    case 'no_encryption_key':
      return problem(
        503,
        'not_configured',
        'PAYONCE_ENCRYPTION_KEY is not set, so no secret can be stored.',
      );
    case 'invalid_secret':
      return invalidRequest([
        { field: 'secret', message: 'must be whsec_ and 24 to 64 bytes in base64' },
      ]);
    case 'invalid_url':
      return invalidRequest([{ field: 'url', message: URL_FAULTS[refusal.why] }]);
  }
}
