import { AUDIT_ACTIONS } from '@payonce/orders/database/audit';
import type { DatabaseDeps } from '@payonce/orders/database/deps';
import { z } from 'zod';
import { auditRowView, viewOfAuditRow } from '../api/audit-views.js';
import type { TypedApp } from '../api/typed-app.js';
import { readAuditLog } from '../reads/audit-log.js';
import { line, merchant, orderNumber, page, time } from '../schemas/fields.js';

const query = z.strictObject({
  ...page,
  actor: line(64).optional().describe('A person, or `key:` and the name of a key.'),
  action: z.enum(AUDIT_ACTIONS).optional(),
  orderNumber: orderNumber.optional(),
  merchant: merchant.optional().describe('The merchant of `orderNumber`; `default` if left out.'),
  from: time.optional(),
  to: time.optional().describe('Rows before this time.'),
});

/** The audit log. */
export async function auditRoutes(api: TypedApp, { prisma }: DatabaseDeps): Promise<void> {
  api.get(
    '/audit',
    {
      config: { access: 'read', merchants: 'all' },
      schema: {
        operationId: 'listAuditLog',
        summary: 'List audit rows, newest first',
        tags: ['audit'],
        querystring: query,
        response: {
          200: z.object({ audit: z.array(auditRowView), nextCursor: z.string().nullable() }),
        },
      },
    },
    async (request) => {
      const { limit, cursor, actor, action, orderNumber: number, from, to } = request.query;
      const { merchant = 'default' } = request.query;
      const { rows, nextCursor } = await readAuditLog(prisma, {
        ...{ limit, cursor, actor, action },
        order: number === undefined ? undefined : { merchant, number },
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
      });
      return { audit: rows.map(viewOfAuditRow), nextCursor };
    },
  );
}
