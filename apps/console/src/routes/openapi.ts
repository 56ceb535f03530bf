import { z } from 'zod';
import type { TypedApp } from '../api/typed-app.js';

/** The description of the API for programs; people find it at `/docs`. */
export async function openApiRoutes(api: TypedApp): Promise<void> {
  api.get(
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
    async () => ({ ...api.swagger(), openapi: '3.1.1' }),
  );
}
