import { ensureFaketime, findFaketime, wrongClock } from '@payonce/tooling/faketime';
import { holdsWithin, now } from '../clock.js';
import type { Fault, Stage } from './fault.js';

const READY_LIMIT_MS = 15_000;
/** WeChat Pay v3 allows five minutes. */
const ALLOWED_S = 300;

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
    arrange: async () =>
      (await ensureFaketime()) === null ? "Debian's faketime is not installed" : null,
    async begin(stage) {
      const library = findFaketime();
      if (library === null) throw new Error('faketime is gone');
      const gateway = stage.random.pick(stage.cluster.gateways);
      const seconds = stage.random.between(least, most) * (stage.random.chance(0.5) ? 1 : -1);
      const startedAt = now();
      await restartWith(stage, gateway, wrongClock(library, seconds));
      return async () => {
        const refused = stage.load.refusedSince(startedAt);
        stage.say(`${gateway.part.name} ${seconds} s, ${refused} genuine ones refused`);
        await restartWith(stage, gateway, {});
      };
    },
  };
}

/** With SIGTERM: the requests in hand are answered first. */
async function restartWith(
  { cluster }: Stage,
  gateway: Stage['cluster']['gateways'][number],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  gateway.setEnv(env);
  await gateway.part.restart();
  await holdsWithin(READY_LIMIT_MS, cluster.isReady);
}
