import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { LightMyRequestResponse } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';

/** Judges answers by the API's description and by nothing else: not by the code that wrote them. */
export interface Contract {
  /**
   * @param operation `GET /v1/orders/{number}`
   * @returns what is wrong with the answer; nothing: it is as described
   */
  faultsOf(operation: string, answer: LightMyRequestResponse): readonly string[];
}

export function readContract(document: OpenAPIV3_1.Document): Contract {
  // `strict` would refuse OpenAPI's own keywords beside the schemas.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document, 'api', undefined, false);

  return {
    faultsOf(operation, answer) {
      const [method = '', path = ''] = operation.split(' ');
      const type = String(answer.headers['content-type']).split(';')[0] ?? '';
      const steps = [
        'paths',
        path,
        method.toLowerCase(),
        'responses',
        answer.statusCode,
        'content',
        type,
        'schema',
      ];
      const known = steps.reduce<unknown>(
        (at, step) => (at as Record<string, unknown> | undefined)?.[step],
        document,
      );
      if (known === undefined) return [`${answer.statusCode} as ${type} is not described`];
      const pointer = steps.map((step) =>
        encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1')),
      );
      const validate = ajv.compile({ $ref: `api#/${pointer.join('/')}` });
      if (validate(answer.json())) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message }) => `${instancePath} ${message}`,
      );
    },
  };
}
