import type { DatabaseDeps } from '@payonce/orders/database/deps';
import type { FastifyInstance } from 'fastify';
import { auditPage } from '../../pages/audit.js';
import { cursorIn, textIn } from '../../pages/query.js';
import { sendPage, viewOf } from '../../pages/view.js';
import { readAuditLog } from '../../reads/audit-log.js';

const ROWS = 50;

export async function auditPageRoutes(
  app: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  app.get('/audit', { config: { merchants: 'all' } }, async (request, reply) => {
    const query = { actor: textIn(request, 'actor'), cursor: cursorIn(request) };
    const page = await readAuditLog(prisma, { ...query, limit: ROWS });
    return sendPage(reply, auditPage(viewOf(request), query, page));
  });
}
