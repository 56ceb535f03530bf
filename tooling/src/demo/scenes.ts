import type { Held } from './ledger.js';
import { count, described, mustTell, only, type Row, row, shown } from './rows.js';
import type { Channel, Message, Stage } from './stage.js';

/** A provider in the demonstration. */
export interface Actor {
  readonly title: string;
  readonly channel: Channel;
  readonly prefix: string;
  /**
   * False for API v2, whose refund notices are encrypted but not signed: alone they move nothing.
   */
  readonly refundsAreSigned: boolean;
}

const DUE = 8888n;
const PART = 3000n;

type Scene = (stage: Stage, actor: Actor) => Promise<Row>;

const nineCopies: Scene = async (stage, actor) => {
  const order = stage.number(actor.prefix);
  await stage.register(order, DUE);
  const acknowledged = await stage.send(actor.channel, payment(order), { copies: 9 });
  const held = await stage.settle(order, isPaidOnce);
  return {
    cameIn: 'nine copies of one payment',
    acknowledged: `${acknowledged} of 9`,
    became: `${count(held, 'applied')} applied; ${described(held)}`,
    asItMustBe: acknowledged === 9 && isPaidOnce(held),
    order,
    told: mustTell(held),
  };
};

const forged: Scene = async (stage, actor) => {
  const order = stage.number(actor.prefix);
  await stage.register(order, DUE);
  const acknowledged = await stage.send(actor.channel, payment(order), { forge: 'foreign_key' });
  // A later genuine message that is applied: if the forged one had been queued, it would be applied
  // too.
  const later = stage.number(actor.prefix);
  await stage.register(later, DUE);
  await stage.send(actor.channel, payment(later));
  await stage.settle(later, isPaidOnce);
  const held = await stage.settle(order, () => true);
  const untouched = held.status === 'pending' && held.outcomes.length === 0;
  return {
    cameIn: 'a forged payment',
    acknowledged: `${acknowledged} of 1`,
    became: untouched ? `refused; ${described(held)}` : shown(held),
    asItMustBe: acknowledged === 0 && untouched,
    order,
    told: mustTell(held),
  };
};

const wrongAmount: Scene = async (stage, actor) => {
  const order = stage.number(actor.prefix);
  await stage.register(order, DUE);
  const acknowledged = await stage.send(actor.channel, payment(order, 1n));
  const must = (held: Held) =>
    held.status === 'pending' && only(held, 'held: amount_mismatch') && held.paidEvents === 0;
  const held = await stage.settle(order, must);
  return row(order, 'a payment of 0.01 for 88.88', acknowledged, held, must);
};

const partialRefund: Scene = async (stage, actor) => {
  const order = await paidOrder(stage, actor);
  const acknowledged = await stage.send(actor.channel, refund(order, 'A', PART, PART));
  const must = refundedBy(actor, PART, 1);
  return row(order, 'a partial refund', acknowledged, await stage.settle(order, must), must);
};

const fullRefund: Scene = async (stage, actor) => {
  const order = await paidOrder(stage, actor);
  const acknowledged = await stage.send(actor.channel, refund(order, 'A', DUE, DUE));
  const must = refundedBy(actor, DUE, 1);
  return row(order, 'a full refund', acknowledged, await stage.settle(order, must), must);
};

const refundFirst: Scene = async (stage, actor) => {
  const order = stage.number(actor.prefix);
  await stage.register(order, DUE);
  const first = await stage.send(actor.channel, refund(order, 'A', PART, PART));
  await stage.settle(order, ({ outcomes }) => outcomes.length === 1);
  const second = await stage.send(actor.channel, payment(order));
  const must = (held: Held) => held.outcomes.length === 2 && refundedBy(actor, PART, 1)(held);
  const held = await stage.settle(order, must);
  return row(order, 'a refund before its payment', first + second, held, must, 2);
};

const unknownOrder: Scene = async (stage, actor) => {
  const order = stage.number(actor.prefix);
  const acknowledged = await stage.send(actor.channel, payment(order));
  const before = await stage.settle(order, (held) => only(held, 'held: unknown_order'));
  await stage.register(order, DUE);
  const after = await stage.settle(order, isPaidOnce);
  return {
    cameIn: 'an unknown order, then registered',
    acknowledged: `${acknowledged} of 1`,
    became: `${before.outcomes.join(', ')}; then ${shown(after)}`,
    asItMustBe: acknowledged === 1 && only(before, 'held: unknown_order') && isPaidOnce(after),
    order,
    told: [...mustTell(before), ...mustTell(after)],
  };
};

export const SCENES: readonly Scene[] = [
  nineCopies,
  forged,
  wrongAmount,
  partialRefund,
  fullRefund,
  refundFirst,
  unknownOrder,
];

async function paidOrder(stage: Stage, actor: Actor): Promise<string> {
  const order = stage.number(actor.prefix);
  await stage.register(order, DUE);
  await stage.send(actor.channel, payment(order));
  await stage.settle(order, isPaidOnce);
  return order;
}

/**
 * The trade's number is derived from the order's, so that every order of a run has a different
 * trade.
 */
function payment(orderNumber: string, amount: bigint = DUE): Message {
  return { kind: 'payment', orderNumber, trade: `T${orderNumber}`, amount: amount.toString() };
}

function refund(orderNumber: string, id: string, amount: bigint, total: bigint): Message {
  return {
    ...payment(orderNumber),
    kind: 'refund',
    refundId: `R${orderNumber}${id}`,
    refundAmount: amount.toString(),
    refundedTotal: total.toString(),
    full: total === DUE,
  };
}

function isPaidOnce(held: Held): boolean {
  return (
    held.status === 'paid' &&
    held.paidAmount === DUE.toString() &&
    only(held, 'applied') &&
    held.paidEvents === 1
  );
}

/** Signed refunds move the order; unsigned ones are held, and the order stays paid. */
function refundedBy(actor: Actor, total: bigint, refunds: number) {
  return (held: Held): boolean => {
    const waiting = count(held, 'held: unconfirmed');
    if (held.paidEvents !== 1 || held.paidAmount !== DUE.toString()) return false;
    if (!actor.refundsAreSigned) return held.status === 'paid' && waiting === refunds;
    const status = total === DUE ? 'refunded' : 'partially_refunded';
    return held.status === status && held.refundedAmount === total.toString() && waiting === 0;
  };
}
