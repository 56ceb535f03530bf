import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { describeRoute } from '../api/description.js';
import { nameSchemas } from '../api/named.js';

const API = '/v1/';

type Options = NonNullable<Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']>;

/** Zod's JSON Schema, without parts that would bind or confuse a reader. */
const override: Options['override'] = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  // A regular expression with every month's days: `format` is enough.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  // Answers may get more members later; only strict schemas (requests) are closed.
  if (def.type === 'object' && !def.catchall) delete jsonSchema.additionalProperties;
};
const options = { zodToJsonConfig: { override } };
const transform = createJsonSchemaTransform(options);
const transformObject = createJsonSchemaTransformObject(options);

const TAGS = {
  orders: 'What is to be paid, and what was.',
  notifications: 'What providers sent, and what became of it.',
  'held events': 'What a person decides about what could not be applied.',
  'dead letters': 'Jobs that can never succeed as things are.',
  'order events': 'What merchants are told, and whether they heard it.',
  endpoints: 'Where merchants are told.',
  channels: 'Credentials at the providers; never a secret.',
  stats: 'How it goes.',
  audit: 'Who did what.',
  keys: 'Bearer keys of programs.',
  description: 'The API itself.',
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
              'A key of `POST /v1/api-keys`. The role beside each request is the least that it needs: `read`, `operate` or `admin`. To a key with merchants, what belongs to others is not there.',
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
  `Amounts are minor units as decimal text (\`"8888"\` is 88.88 CNY), IDs are decimal text, times are
ISO 8601 in UTC. Unknown members and query parameters are refused, not ignored. What goes wrong is
\`application/problem+json\` (RFC 9457) with a \`code\` for programs. Lists begin with the newest; \`nextCursor\` of one
page is \`cursor\` of the next, and null on the last.`.replaceAll('\n', ' ');

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
