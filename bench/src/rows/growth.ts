import { drainRate } from '../backlog.js';
import { grow } from '../grow.js';
import { compare } from '../rounds.js';
import type { Stage } from '../stage.js';
import type { Place } from '../stores.js';
import { expectApplied } from './apply.js';
import { type Row, rateSide } from './row.js';

export const growth: Row = {
  name: 'growth',
  does: 'applied per second with two million notifications and orders stored, against ten thousand',
  async measure(stage) {
    const { scale, stores, say } = stage;
    const few = await stores.freshPlace();
    const many = await stores.freshPlace();
    try {
      await grow(few, scale.stored.few, say);
      await grow(many, scale.stored.many, say);
      return [
        await compare(
          {
            name: 'growth',
            unit: 'applied/s',
            ours: inTurn(stage, many),
            others: { [`${scale.stored.few} stored`]: inTurn(stage, few) },
          },
          scale.rounds,
          say,
        ),
      ];
    } finally {
      await few.remove();
      await many.remove();
    }
  },
  async side(stage) {
    const place = await stage.stores.freshPlace();
    await grow(place, stage.scale.stored.many, stage.say);
    return {
      ...rateSide('growth', 'applied/s', inTurn(stage, place)),
      end: () => place.remove(),
    };
  },
};

/**
 * Each round has different notifications: creating a database of this size again each time would
 * take too long.
 */
function inTurn({ scale, stores, programs, fill }: Stage, place: Place): () => Promise<number> {
  let from = 0;
  return async () => {
    await stores.settle();
    await fill(place, from, scale.grownBacklog);
    from += scale.grownBacklog;
    const worker = await programs.worker(place);
    const rate = await drainRate(stores.redis, scale.grownBacklog, scale.drainLimitMs);
    await worker.stop();
    await expectApplied(place, 1);
    return rate;
  };
}
