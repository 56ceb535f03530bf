import type { DatabaseDeps } from '@payonce/orders/database/deps';

import type { EventCommand, HeldAction } from '@payonce/orders/notifications/held/operator';
import { previewDecisions } from '@payonce/orders/notifications/held/preview-decisions';
import type { Prisma } from '@payonce/prisma/client';
import { digestOf, type PlannedItem, resultOf } from '../schemas/plan.js';
import { withStatementTimeout } from './with-statement-timeout.js';

export interface Plan {
  readonly digest: string;
  readonly items: readonly PlannedItem[];
  readonly commands: readonly EventCommand[];
  /** More events match, beyond the bound. */
  readonly more: boolean;
}

/** Plans an action on the oldest held events, at most `max`; nothing is changed. */
export async function planHeld(
  deps: DatabaseDeps,
  asked: {
    readonly action: HeldAction;
    readonly where: Prisma.NotificationEventWhereInput;
    readonly max: number;
    readonly operator: Pick<EventCommand, 'actor' | 'reason' | 'onBehalfOf'>;
  },
): Promise<Plan> {
  const { action, where, max, operator } = asked;
  const found = await withStatementTimeout(deps.prisma, (tx) =>
    tx.notificationEvent.findMany({
      where,
      select: { notificationRowId: true, position: true, orderNumber: true, holdReason: true },
      orderBy: { id: 'asc' },
      take: max + 1,
    }),
  );
  const rows = found.slice(0, max);
  const more = found.length > max;
  const commands = rows.map(({ notificationRowId: notification, position }) => ({
    ...operator,
    notification,
    position,
  }));
  const outcomes = await previewDecisions(deps, action, commands);
  const items = rows.map((row, index): PlannedItem => {
    const holdReason = row.holdReason ?? '';
    const outcome = outcomes[index] ?? { result: 'unknown_event' };
    return {
      notification: row.notificationRowId.toString(),
      position: row.position,
      orderNumber: row.orderNumber,
      holdReason,
      ...resultOf(outcome, holdReason),
    };
  });
  return { digest: digestOf(action, items, more), items, commands, more };
}
