import type { Delay, ToldNotification, ToldOrder } from '../history/history.js';
import { orderKey, type Scene } from './lookup.js';
import type { HeldEvent } from './stored.js';

/** The findings in the rows themselves, each in a line for a person. */

/** @param told genuine @param delays of the same stretch */
export function judgeStore(
  scene: Scene,
  told: readonly ToldNotification[],
  orders: readonly ToldOrder[],
  delays: readonly Delay[],
) {
  const rows = told.flatMap((one) => whySeveral(scene, one));
  const conflicts = told.flatMap((one) => whyHeldAs(scene, one, 'id_conflict'));
  const dead = told.flatMap((one) => whyDead(scene, one));
  const foreign = told.flatMap((one) => whyHeldAs(scene, one, 'trade_on_other_order'));
  const dropped = told.flatMap((one) => whyDropped(scene, one));
  const heldUp = whyDelayed(delays, 'held_up');
  const late = whyDelayed(delays, 'began_late');
  const twice = [
    ...orders.flatMap((order) => whyTwice(order.number, eventsOf(scene, order))),
    ...told.flatMap((one) => whyToldTwice(scene, one)),
  ];
  const stuck = orders.flatMap((order) => whyStuck(scene, order));
  return {
    verdict: {
      rowsPerContent: rows.length,
      conflicts: conflicts.length,
      deadLetters: dead.length,
      foreignTradeBlocked: foreign.length,
      evidenceDropped: dropped.length,
      heldUp: heldUp.length,
      beganLate: late.length,
      orderEventsTwice: twice.length,
      deliveriesStuck: stuck.length,
    },
    findings: [...[rows, conflicts, dead, foreign, dropped, heldUp, late, twice, stuck].flat()],
  };
}

/** One notification has one row, however its copies were cut, wrapped or ordered. */
function whySeveral(scene: Scene, told: ToldNotification): string[] {
  const rows = [...rowsOf(scene, told)];
  return rows.slice(1).map((row) => `several rows: ${told.key} is also row ${row}`);
}

function whyHeldAs(scene: Scene, told: ToldNotification, reason: string): string[] {
  const rows = scene.heldOf(told).filter(({ outcome }) => outcome === reason);
  return rows.map(({ row }) => `${reason}: ${told.key} of ${told.orderNumber}, row ${row}`);
}

/** A job ID begins with the provider; two providers may use one number. */
function whyDead(scene: Scene, told: ToldNotification): string[] {
  const jobs = scene.deadJobs.get(told.jobToken) ?? [];
  const own = jobs.filter((jobId) => jobId.startsWith(`${told.provider}.`));
  return own.map((jobId) => `dead letter: ${told.key} as ${jobId}`);
}

function whyDropped(scene: Scene, told: ToldNotification): string[] {
  const rows = scene.heldOf(told).filter(({ raw }) => !raw);
  return rows.map(({ row }) => `evidence dropped: ${told.key}, row ${row} has no raw bytes`);
}

function whyDelayed(delays: readonly Delay[], kind: Delay['kind']): string[] {
  const words = { held_up: 'held up', began_late: 'began late' }[kind];
  return delays
    .filter((delay) => delay.kind === kind)
    .flatMap(({ keys, at }) =>
      keys.map((key) => `${words}: ${key} still waits at ${new Date(at).toISOString()}`),
    );
}

function eventsOf(scene: Scene, order: ToldOrder): readonly HeldEvent[] {
  return scene.heldEvents.get(orderKey(order)) ?? [];
}

/** Events of the order itself; held notifications may share a name. */
function whyTwice(what: string, events: readonly HeldEvent[]): string[] {
  return repeated(events.filter(({ row }) => row === null)).map(
    (name) => `event twice: ${what} ${name}`,
  );
}

/** All events of the rows of one notification together. */
function whyToldTwice(scene: Scene, told: ToldNotification): string[] {
  const events = [...rowsOf(scene, told)].flatMap((row) => scene.eventsOfRow.get(row) ?? []);
  return repeated(events).map((name) => `event twice: ${told.key} ${name}`);
}

function whyStuck(scene: Scene, order: ToldOrder): string[] {
  return eventsOf(scene, order).flatMap(({ type, milestone, pending }) =>
    Array<string>(pending).fill(`delivery stuck: ${order.number} ${type} ${milestone}`),
  );
}

function rowsOf(scene: Scene, told: ToldNotification): ReadonlySet<string> {
  return new Set(scene.heldOf(told).map(({ row }) => row));
}

/** The names of events beyond the first of each name. */
function repeated(events: readonly HeldEvent[]): string[] {
  const seen = new Set<string>();
  return events.flatMap(({ type, milestone }) => {
    const name = `${type} ${milestone}`;
    if (seen.has(name)) return [name];
    seen.add(name);
    return [];
  });
}
