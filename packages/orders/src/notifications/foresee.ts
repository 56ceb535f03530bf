/** A dry run of an operator's action on many held events: does it and rolls it back. */
import type { DatabaseDeps } from '../database/deps.js';
import { rolledBack } from '../database/rolled-back.js';
import type { Tx } from '../database/transaction.js';
import { tradeKey } from '../orders/claim.js';
import { lockOrders } from '../orders/store.js';
import { needsOrder } from './decide.js';
import { type HeldEvent, isHeld, readEvents } from './event-rows.js';
import {
  acceptHeldEvent,
  type EventCommand,
  type OperatorOutcome,
  rejectHeldEvent,
  retryEvent,
} from './operator.js';
import { groupRelated, packGroups } from './related.js';
import { claimsOf } from './settle.js';

export type HeldAction = 'retry' | 'accept' | 'reject';

/** Does the action. @throws AppError `database_unavailable` */
export function operate(
  deps: DatabaseDeps,
  action: HeldAction,
  command: EventCommand,
): Promise<OperatorOutcome> {
  switch (action) {
    case 'retry':
      return retryEvent(deps, command);
    case 'accept':
      return acceptHeldEvent(deps, command);
    case 'reject':
      return rejectHeldEvent(deps, command);
  }
}

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
export async function foresee(
  deps: DatabaseDeps,
  action: HeldAction,
  commands: readonly EventCommand[],
): Promise<OperatorOutcome[]> {
  const ids = [...new Set(commands.map(({ notification }) => notification))];
  const events = (await readEvents(deps.prisma, ids)).filter(isHeld);
  const held = new Map(events.map((one) => [nameOf(one.notificationRowId, one.position), one]));
  const heldOf = ({ notification, position }: EventCommand) =>
    held.get(nameOf(notification, position));
  const groups = groupRelated(
    commands.map((command) => [`notification ${command.notification}`, ...keysOf(heldOf(command))]),
  );
  const outcomes = new Map<number, OperatorOutcome>();
  for (const batch of packGroups(groups, BATCH)) {
    const told = batch.flatMap((index) => commands[index] ?? []);
    const seen = await foreseeTogether(
      deps,
      action,
      told,
      told.flatMap((one) => heldOf(one) ?? []),
    );
    for (const [place, index] of batch.entries()) {
      const outcome = seen[place];
      if (outcome) outcomes.set(index, outcome);
    }
  }
  return commands.map((_, index) => outcomes.get(index) ?? { result: 'unknown_event' });
}

function foreseeTogether(
  deps: DatabaseDeps,
  action: HeldAction,
  commands: readonly EventCommand[],
  held: readonly HeldEvent[],
): Promise<readonly OperatorOutcome[]> {
  return rolledBack(deps, async (tx) => {
    await lockAll(tx, held);
    const outcomes: OperatorOutcome[] = [];
    for (const command of commands) {
      outcomes.push(await operate({ ...deps, within: tx }, action, command));
    }
    return outcomes;
  });
}

/** In the common order of locks: notifications, then orders. */
async function lockAll(tx: Tx, held: readonly HeldEvent[]): Promise<void> {
  const ids = held.map((one) => one.notificationRowId);
  await tx.$queryRaw`SELECT id FROM notifications WHERE id = ANY(${ids}::bigint[])
    ORDER BY id FOR UPDATE SKIP LOCKED`;
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

function nameOf(notification: bigint, position: number): string {
  return `${notification} ${position}`;
}
