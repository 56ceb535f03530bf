/** A preview of an operator's action on many held events: does it and rolls it back. */
import type { DatabaseDeps } from '../../database/deps.js';
import { preview } from '../../database/preview.js';
import type { Tx } from '../../database/transaction.js';
import { lockOrders } from '../../orders/lock-orders.js';
import { claimsOf, tradeKey } from '../../orders/trade-claim.js';
import { connectedComponents, packGroups } from '../apply/connected-components.js';
import { needsOrder } from '../apply/decide.js';
import { readEvents } from '../records/event-rows.js';
import { tryLockNotificationRows } from '../records/notification-locks.js';
import { type HeldEvent, isHeld } from '../records/stored-event.js';
import {
  applyOperatorAction,
  type EventCommand,
  type HeldAction,
  type OperatorOutcome,
} from './operator.js';

/**
 * Events in one transaction, which holds its locks for some ten milliseconds per event. Events of
 * one order, trade or notification stay together, since each changes the result of the next.
 */
const BATCH = 25;

/**
 * The results if the commands ran one after the other. The same code runs them in transactions that
 * are rolled back: nothing changes, and no webhook is sent.
 * @throws AppError `database_unavailable`: also when another transaction holds their locks for long
 */
export async function previewDecisions(
  deps: DatabaseDeps,
  action: HeldAction,
  commands: readonly EventCommand[],
): Promise<OperatorOutcome[]> {
  const ids = [...new Set(commands.map(({ notification }) => notification))];
  const events = (await readEvents(deps.prisma, ids)).filter(isHeld);
  const held = new Map(events.map((one) => [eventKey(one.notificationRowId, one.position), one]));
  const heldOf = ({ notification, position }: EventCommand) =>
    held.get(eventKey(notification, position));
  const groups = connectedComponents(
    commands.map((command) => [`notification ${command.notification}`, ...keysOf(heldOf(command))]),
  );
  const outcomes = new Map<number, OperatorOutcome>();
  for (const batch of packGroups(groups, BATCH)) {
    const some = batch.flatMap((index) => commands[index] ?? []);
    const heldEvents = some.flatMap((one) => heldOf(one) ?? []);
    const previewed = await previewTogether(deps, action, some, heldEvents);
    for (const [position, index] of batch.entries()) {
      const outcome = previewed[position];
      if (outcome) outcomes.set(index, outcome);
    }
  }
  return commands.map((_, index) => outcomes.get(index) ?? { result: 'unknown_event' });
}

function previewTogether(
  deps: DatabaseDeps,
  action: HeldAction,
  commands: readonly EventCommand[],
  held: readonly HeldEvent[],
): Promise<readonly OperatorOutcome[]> {
  return preview(deps, async (tx) => {
    await lockAll(tx, held);
    const outcomes: OperatorOutcome[] = [];
    for (const command of commands) {
      outcomes.push(await applyOperatorAction({ ...deps, outerTx: tx }, action, command));
    }
    return outcomes;
  });
}

/** In the common order of locks: notifications, then orders. */
async function lockAll(tx: Tx, held: readonly HeldEvent[]): Promise<void> {
  await tryLockNotificationRows(
    tx,
    held.map((one) => one.notificationRowId),
  );
  const keys = held.flatMap(({ merchant, event }) =>
    needsOrder(event) && !event.orderNumber.includes('\0')
      ? [{ merchant, number: event.orderNumber }]
      : [],
  );
  await lockOrders(tx, keys);
}

function keysOf(held: HeldEvent | undefined): string[] {
  if (held?.event.kind !== 'order') return [];
  const { merchant, event } = held;
  const trades = claimsOf(event.facts, { id: 0n, merchant }).map(
    (claim) => `trade ${tradeKey(claim)}`,
  );
  return [`order ${merchant} ${event.orderNumber}`, ...trades];
}

function eventKey(notification: bigint, position: number): string {
  return `${notification} ${position}`;
}
