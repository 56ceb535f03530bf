import type { DatabaseDeps } from '../../database/deps.js';
import { inTransaction } from '../../database/transaction.js';
import { findOverdue, markAlerted } from '../records/event-schedule-rows.js';
import { tryLockNotificationRows } from '../records/notification-locks.js';

/** The events alerted in one step; the next step takes the rest. */
const ALERT_LIMIT = 200;

/**
 * Logs once per event that it has waited for its order for longer than `deadlineMs`. By then the
 * provider has stopped sending, so only a registration, the schedule or a person can release it. It
 * stays held.
 * @returns whether there may be more to alert
 * @throws AppError `database_unavailable`
 */
export async function alertOverdue(deps: DatabaseDeps, deadlineMs: number): Promise<boolean> {
  const now = deps.clock();
  const cutoff = new Date(now.getTime() - deadlineMs);
  const due = await findOverdue(deps.prisma, cutoff, ALERT_LIMIT);
  if (due.length === 0) return false;
  // Notifications before their events, as on all paths; a transaction that has one locked resolves
  // it first.
  const alerted = await inTransaction(deps, async (tx) =>
    markAlerted(tx, now, cutoff, await tryLockNotificationRows(tx, due)),
  );
  for (const one of alerted) deps.log.warn({ ...one }, 'held.overdue');
  return alerted.length > 0 && due.length === ALERT_LIMIT;
}

/** How many are held beyond the deadline, for a gauge. @throws the driver's error */
export async function countOverdue(deps: DatabaseDeps, deadlineMs: number): Promise<number> {
  const createdAt = { lte: new Date(deps.clock().getTime() - deadlineMs) };
  const where = { outcome: 'held', holdReason: 'unknown_order', createdAt };
  return deps.prisma.notificationEvent.count({ where });
}

/** The number of held events by reason, for a gauge. @throws the driver's error */
export async function countHeld({
  prisma,
}: DatabaseDeps): Promise<Readonly<Record<string, number | undefined>>> {
  const counts = await prisma.notificationEvent.groupBy({
    by: ['holdReason'],
    where: { outcome: 'held' },
    _count: true,
  });
  return Object.fromEntries(counts.map((one) => [one.holdReason ?? '', one._count]));
}
