import { ROLES, storedMerchants } from '@payonce/orders/access/api-keys';
import { z } from 'zod';
import type { ApiKeyRow } from '../reads/api-keys.js';
import { time } from '../schemas/fields.js';

export const apiKeyView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  merchants: z
    .array(z.string())
    .nullable()
    .describe(
      'The merchants whose data the key may see and change, as names and patterns; null means all.',
    ),
  hint: z.string().describe('The first characters of the key, to identify it.'),
  createdBy: z.string(),
  createdAt: time,
  lastUsedAt: time.nullable().describe('Accurate to the minute.'),
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
});

export const newApiKeyView = apiKeyView.extend({
  key: z.string().describe('The key itself. Shown only once; only its hash is stored.'),
});

export function viewOfApiKey(row: ApiKeyRow): z.infer<typeof apiKeyView> {
  // A key with unreadable merchants gives no access.
  const merchants = storedMerchants(row.merchants) ?? [];
  return {
    id: row.id.toString(),
    name: row.name,
    role: z.enum(ROLES).parse(row.role),
    merchants: merchants === 'all' ? null : [...merchants],
    hint: row.hint,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
