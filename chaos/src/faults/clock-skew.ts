import { now } from '../clock.js';
import { arrangeFaketime, bentClock, restartWith } from './faketime.js';
import type { Fault } from './fault.js';

/** WeChat Pay v3 allows five minutes. */
const ALLOWED_S = 300;

/** For a gateway; `worker-clock.ts` has the worker's. */
export const clockFaults: readonly Fault[] = [
  skewed('clock-skew-allowed', 'the clock of one gateway is wrong by less than five minutes', [
    60,
    ALLOWED_S - 60,
  ]),
  skewed(
    'clock-skew-excessive',
    'the clock of one gateway is wrong by more than five minutes: it refuses v3, the other does not',
    [ALLOWED_S + 60, 24 * 3_600],
  ),
];

function skewed(name: string, does: string, [least, most]: readonly [number, number]): Fault {
  return {
    name,
    does,
    lasts: 'short',
    besidesMs: 4_000,
    arrange: arrangeFaketime,
    async begin(context) {
      const gateway = context.random.pick(context.cluster.gateways);
      const seconds = context.random.between(least, most) * (context.random.chance(0.5) ? 1 : -1);
      const startedAt = now();
      await restartWith(context, gateway, bentClock(seconds));
      return async () => {
        const refused = context.load.refusedSince(startedAt);
        context.say(`${gateway.process.name} ${seconds} s, ${refused} genuine ones refused`);
        await restartWith(context, gateway, {});
      };
    },
  };
}
