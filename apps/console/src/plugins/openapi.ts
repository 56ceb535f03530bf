import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { nameSchemas } from '../api/named.js';
import { describeRoute } from './description.js';

const API = '/v1/';

type Options = NonNullable<Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']>;

/** Zod's JSON Schema, without parts that would bind or confuse a reader. */
const override: Options['override'] = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  // A regular expression with every month's days: `format` is enough.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  // Responses may get more members later; only strict schemas (requests) are closed.
  if (def.type === 'object' && !def.catchall) delete jsonSchema.additionalProperties;
};
const options = { zodToJsonConfig: { override } };
const transform = createJsonSchemaTransform(options);
const transformObject = createJsonSchemaTransformObject(options);

const TAGS = {
  orders: 'Orders with their payments and refunds.',
  notifications: 'Messages from the providers and their outcomes.',
  'held events': 'Events that could not be applied, and decisions about them.',
  'dead letters': 'Jobs that the worker cannot process.',
  'order events': "Messages to merchants' systems, and their deliveries.",
  endpoints: 'Receivers of order events.',
  channels: 'Credentials at the providers, without secrets.',
  stats: 'Traffic, backlog and latencies.',
  audit: 'Who did what, and why.',
  keys: 'Bearer keys for programs.',
  description: 'The OpenAPI document.',
};

/**
 * The description of the API, generated from the routes' schemas. Register it before the routes.
 */
export async function describeApi(app: FastifyInstance): Promise<void> {
  nameSchemas();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'payonce: private API',
        version: '1',
        description: INTRODUCTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearerKey: {
            type: 'http',
            scheme: 'bearer',
            description:
              'A key from `POST /v1/api-keys`. Each operation names the least role that it needs: `read`, `operate` or `admin`. A key that is limited to some merchants gets no data of the others.',
          },
        },
      },
    },
    transform: (route) => {
      if (!route.url.startsWith(API)) return { schema: { hide: true }, url: route.url };
      const schema = describeRoute(route.schema ?? {}, route.route);
      return transform({ ...route, schema });
    },
    transformObject: (document) => withoutUnused(transformObject(document) as OpenAPIV3_1.Document),
  });
}

const INTRODUCTION =
  `Amounts are minor units as decimal text (\`"8888"\` is 88.88 CNY). IDs are decimal text. Times
are ISO 8601 in UTC. Unknown members and query parameters are rejected, not ignored. Errors are
\`application/problem+json\` (RFC 9457) with a \`code\` for programs. Lists start with the newest entry. Send the
\`nextCursor\` of a page as \`cursor\` to get the next page; on the last page it is null.`.replaceAll(
    '\n',
    ' ',
  );

/** Each named schema is generated twice, as sent and as received; unreferenced ones are removed. */
function withoutUnused(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const all = { ...document.components?.schemas };
  for (let size = -1; size !== Object.keys(all).length; ) {
    size = Object.keys(all).length;
    const text = JSON.stringify({ paths: document.paths, all });
    for (const name of Object.keys(all)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete all[name];
    }
  }
  return { ...document, components: { ...document.components, schemas: all } };
}
