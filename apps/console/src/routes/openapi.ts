import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** The description of the API for programs; people find it at `/docs`. */
export async function openApiRoutes(instance: FastifyInstance): Promise<void> {
  instance.withTypeProvider<ZodTypeProvider>().get(
    '/openapi.json',
    {
      config: { access: 'read', merchants: 'none' },
      schema: {
        operationId: 'getOpenApi',
        summary: 'Get this document',
        tags: ['description'],
        response: { 200: z.looseObject({ openapi: z.string() }) },
      },
    },
    async () => ({ ...instance.swagger(), openapi: '3.1.1' }),
  );
}
