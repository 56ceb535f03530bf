import { holdsWithin } from '@payonce/testkit/machine/poll';
import type { Random } from '@payonce/testkit/machine/random';
import type { Behaviour } from '../cluster/consumer.js';
import { type Fault, nothingToEnd } from './fault.js';

/** Each means "not taken". 410 is left out: it means "never again". */
const REFUSALS = [302, 307, 400, 401, 404, 429, 500, 502, 503] as const;
/** How long it may take until there is an event to deliver. */
const DELIVERING_LIMIT_MS = 10_000;

/** Faults of the merchant's system; those of the network to it are with the links. */
export const consumerFaults: readonly Fault[] = [
  behaving({
    name: 'consumer-failing',
    does: "the merchant's system responds with errors, with redirects, and with Retry-After",
    behaviour: (random) => ({ kind: 'fails', status: () => random.pick(REFUSALS) }),
  }),
  behaving({
    name: 'consumer-hangs',
    does: "the merchant's system reads requests and never responds",
    behaviour: () => ({ kind: 'hangs' }),
  }),
  behaving({
    name: 'consumer-slow',
    does: "the merchant's system takes half a second to five seconds to respond",
    behaviour: (random) => ({ kind: 'slow', ms: () => random.between(500, 5_000) }),
  }),
  {
    name: 'worker-killed-delivering',
    does: "SIGKILL of both workers when the merchant's system has taken events and they do not know it yet",
    lasts: 'moment',
    async begin({ cluster: { consumer, proxies, workers }, say }) {
      const [link] = proxies.webhooks;
      const before = consumer.taken;
      link?.inflict({ kind: 'hang', direction: 'from_server' });
      await holdsWithin(DELIVERING_LIMIT_MS, () => consumer.taken > before);
      await Promise.all(workers.map(({ process }) => process.crash()));
      link?.heal();
      say(`${consumer.taken - before} answers lost`);
      return nothingToEnd;
    },
  },
];

interface Behaving extends Pick<Fault, 'name' | 'does'> {
  readonly behaviour: (random: Random) => Behaviour;
}

function behaving({ behaviour, ...about }: Behaving): Fault {
  return {
    ...about,
    lasts: 'short',
    async begin({ cluster: { consumer }, random }) {
      consumer.behave(behaviour(random));
      return () => consumer.behave({ kind: 'takes' });
    },
  };
}
