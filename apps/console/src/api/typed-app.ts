import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';

/** The app or a scope of it: the types of requests and responses follow from the schemas. */
export type TypedApp = Parameters<FastifyPluginAsyncZod>[0];
