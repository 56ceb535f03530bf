import type { DatabaseDeps } from '@payonce/core/database/deps';
import type { FastifyInstance } from 'fastify';
import { auditPage } from '../../pages/audit.js';
import { contextOf, sendPage } from '../../pages/page-context.js';
import { cursorIn, textIn } from '../../pages/query.js';
import { readAuditLog } from '../../reads/audit-log.js';

const ROWS = 50;

export async function auditPageRoutes(
  app: FastifyInstance,
  { prisma }: DatabaseDeps,
): Promise<void> {
  app.get('/audit', { config: { merchants: 'all' } }, async (request, reply) => {
    const query = { actor: textIn(request, 'actor'), cursor: cursorIn(request) };
    const page = await readAuditLog(prisma, { ...query, limit: ROWS });
    return sendPage(reply, auditPage(contextOf(request), query, page));
  });
}
