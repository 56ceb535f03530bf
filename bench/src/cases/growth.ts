import { drainRate } from '../backlog.js';
import { compare } from '../rounds.js';
import { seedTables } from '../seed-tables.js';
import type { Stage } from '../stage.js';
import type { Target } from '../stores.js';
import { expectApplied } from './apply.js';
import { type Case, rateSide } from './case.js';

export const growth: Case = {
  name: 'growth',
  does: 'applied per second with two million notifications and orders stored, against ten thousand',
  async measure(stage) {
    const { scale, stores, say } = stage;
    const few = await stores.freshTarget();
    const many = await stores.freshTarget();
    try {
      await seedTables(few, scale.stored.few, say);
      await seedTables(many, scale.stored.many, say);
      return await compare(stage, {
        name: 'growth',
        unit: 'applied/s',
        ours: inTurn(stage, many),
        others: { [`${scale.stored.few} stored`]: inTurn(stage, few) },
      });
    } finally {
      await few.remove();
      await many.remove();
    }
  },
  async side(stage) {
    const target = await stage.stores.freshTarget();
    await seedTables(target, stage.scale.stored.many, stage.say);
    return {
      ...rateSide('growth', 'applied/s', inTurn(stage, target)),
      end: () => target.remove(),
    };
  },
};

/**
 * Each round has different notifications: creating a database of this size again each time would
 * take too long.
 */
function inTurn({ scale, stores, programs, fill }: Stage, target: Target): () => Promise<number> {
  let from = 0;
  return async () => {
    await stores.settle();
    await fill(target, from, scale.grownBacklog);
    from += scale.grownBacklog;
    const worker = await programs.worker(target);
    const rate = await drainRate(stores.redis, scale.grownBacklog, scale.drainLimitMs);
    await worker.stop();
    await expectApplied(target, 1);
    return rate;
  };
}
