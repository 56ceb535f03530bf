import type { StoredOrder } from './database.js';
import type { Actor, PlayedOrder, Sent, Stage } from './stage.js';

/** One row of the table. */
export interface Row {
  readonly cameIn: string;
  readonly acknowledged: string;
  readonly became: string;
  /** In the database, and for the provider. */
  readonly isExpected: boolean;
  readonly order: string;
  /** The expected events: `order.paid`, `notification.held: unknown_order`. */
  readonly events: readonly string[];
}

interface Scene {
  readonly cameIn: string;
  /** @param another another order of the same provider */
  play(order: PlayedOrder, another: () => PlayedOrder): Promise<readonly Sent[]>;
  /** @param states the rows at each look; the last one is the result */
  became?(stored: StoredOrder, states: readonly StoredOrder[]): string;
}

const PART = 3_000n;

export const SCENES: readonly Scene[] = [
  {
    cameIn: 'nine copies of one payment',
    async play(order) {
      await order.register();
      return [await order.pay({ copies: 9 })];
    },
    became(stored) {
      const applied = stored.outcomes.filter((outcome) => outcome === 'applied');
      return `${applied.length} applied; ${described(stored)}`;
    },
  },
  {
    cameIn: 'a forged payment',
    async play(order, another) {
      await order.register();
      const forged = await order.pay({ forge: 'foreign_key' });
      // A later genuine message that is applied: if the forged one had been queued, it would be
      // applied too.
      const later = another();
      await later.register();
      await later.pay();
      await later.stored();
      return [forged];
    },
    became: (stored) =>
      stored.outcomes.length === 0 ? `rejected; ${described(stored)}` : shown(stored),
  },
  {
    cameIn: 'a payment of 0.01 for 88.88',
    async play(order) {
      await order.register();
      return [await order.pay({ amount: 1n })];
    },
  },
  {
    cameIn: 'a partial refund',
    async play(order) {
      await paid(order);
      return [await order.refund(PART)];
    },
  },
  {
    cameIn: 'a full refund',
    async play(order) {
      await paid(order);
      return [await order.refund(order.due)];
    },
  },
  {
    cameIn: 'a refund before its payment',
    async play(order) {
      await order.register();
      const refund = await order.refund(PART);
      await order.stored();
      return [refund, await order.pay()];
    },
  },
  {
    cameIn: 'an unknown order, then registered',
    async play(order) {
      const payment = await order.pay();
      await order.stored();
      await order.register();
      return [payment];
    },
    became: (stored, [before]) => `${before?.outcomes.join(', ')}; then ${shown(stored)}`,
  },
];

export async function playScene(scene: Scene, stage: Stage, actor: Actor): Promise<Row> {
  const order = stage.order(actor);
  const sent = await scene.play(order, () => stage.order(actor));
  const stored = await order.stored();
  const sum = (of: (one: Sent) => number) => sent.reduce((total, one) => total + of(one), 0);
  return {
    cameIn: scene.cameIn,
    acknowledged: `${sum(({ acknowledged }) => acknowledged)} of ${sum(({ copies }) => copies)}`,
    became: (scene.became ?? shown)(stored, order.states),
    isExpected:
      order.wasAlwaysExpected &&
      sent.every(({ acknowledged, copies, forged }) => acknowledged === (forged ? 0 : copies)),
    order: order.number,
    events: order.expectedEvents(),
  };
}

async function paid(order: PlayedOrder): Promise<void> {
  await order.register();
  await order.pay();
  await order.stored();
}

function shown(stored: StoredOrder): string {
  return `${stored.outcomes.join(', ') || 'nothing'}; ${described(stored)}`;
}

function described({ status, paid, refunded }: StoredOrder): string {
  if (status === null) return 'no such order';
  const back = refunded === '0' ? '' : `, ${yuan(refunded)} of it back`;
  return paid === '0' ? `order ${status}` : `order ${status} ${yuan(paid)}${back}`;
}

function yuan(fen: string | null): string {
  const digits = (fen ?? '0').padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
