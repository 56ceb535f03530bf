import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { LightMyRequestResponse } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';

/** Checks answers by the API's description alone, not by the code that wrote them. */
export interface Contract {
  /**
   * @param operation `GET /v1/orders/{number}`
   * @returns the faults of the answer; empty when it fits the description
   */
  faultsOf(operation: string, answer: LightMyRequestResponse): readonly string[];
}

export function readContract(document: OpenAPIV3_1.Document): Contract {
  // `strict` would refuse OpenAPI's keywords beside the schemas.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document, 'api', undefined, false);
  const at = (steps: readonly string[]) =>
    steps.reduce<unknown>((from, step) => (from as Record<string, unknown>)?.[step], document);

  return {
    faultsOf(operation, answer) {
      const [method = '', path = ''] = operation.split(' ');
      const status = String(answer.statusCode);
      const response = ['paths', path, method.toLowerCase(), 'responses', status];
      if (at(response) === undefined) return [`${status} is not described`];
      if (at([...response, 'content']) === undefined) return answer.body === '' ? [] : ['a body'];
      const type = String(answer.headers['content-type']).split(';')[0] ?? '';
      const schema = [...response, 'content', type, 'schema'];
      if (at(schema) === undefined) return [`${type} is not described`];
      const validate = ajv.compile({ $ref: `api#/${schema.map(escaped).join('/')}` });
      if (validate(answer.json())) return [];
      return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
    },
  };
}

/** One step of a JSON pointer in a URI's fragment (RFC 6901). */
function escaped(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}
