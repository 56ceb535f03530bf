import { EVENT_TYPES } from '@payonce/orders/endpoints/event-types';
import { z } from 'zod';
import type { EndpointRow } from '../reads/endpoints.js';
import { time } from '../schemas/fields.js';

const eventTypes = z.array(z.enum(EVENT_TYPES));

export const endpointView = z.object({
  id: z.string(),
  merchant: z.string(),
  name: z.string(),
  url: z
    .string()
    .describe('Shown without its query, which may hold a secret, unless the role is `admin`.'),
  eventTypes: eventTypes.describe('An empty list means every type.'),
  source: z
    .enum(['file', 'api'])
    .describe('`file`: it is declared in the channel file, and is changed there.'),
  previousSecretExpiresAt: time
    .nullable()
    .describe('Until this time the previous secret signs beside the current one.'),
  failures: z.number().int().describe('Failed attempts in a row.'),
  failingSince: time.nullable(),
  openUntil: time.nullable().describe('Nothing is sent before this time.'),
  lastSuccessAt: time.nullable(),
  disabledAt: time.nullable(),
  disabledReason: z.string().nullable().describe('`operator`, `failing`, `gone` or `not_in_file`.'),
  createdAt: time,
  updatedAt: time,
});

export const newEndpointView = endpointView.extend({
  secret: z
    .string()
    .nullable()
    .describe(
      'The secret that signs order events. Shown only once; null for a handler, which needs none.',
    ),
});

export function viewOfEndpoint(row: EndpointRow): z.infer<typeof endpointView> {
  const iso = (at: Date | null) => at?.toISOString() ?? null;
  return {
    id: row.id.toString(),
    merchant: row.merchant,
    name: row.name,
    url: row.url,
    eventTypes: eventTypes.parse(row.eventTypes),
    source: row.source === 'file' ? 'file' : 'api',
    previousSecretExpiresAt: iso(row.previousSecretExpiresAt),
    failures: row.failures,
    failingSince: iso(row.failingSince),
    openUntil: iso(row.openUntil),
    lastSuccessAt: iso(row.lastSuccessAt),
    disabledAt: iso(row.disabledAt),
    disabledReason: row.disabledReason,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
