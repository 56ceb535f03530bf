import type { LinkFault } from '@payonce/testkit/faults/link';
import type { FaultProxy } from '@payonce/testkit/faults/proxy';
import type { Random } from '@payonce/testkit/machine/random';
import type { Proxies } from '../cluster/proxies.js';
import type { Fault } from './fault.js';

const DIRECTIONS = ['to_server', 'from_server', 'both'] as const;
/** Replies of the stores have some dozens of bytes; a connection lasts for some of them. */
const MOST_BYTES = 20_000;
/** An acknowledgement has about 150 bytes with its head. */
const MOST_REPLY_BYTES = 300;
/** The merchant's system answers with a head and nothing more. */
const MOST_ANSWER_BYTES = 120;

export const linkFaults: readonly Fault[] = [
  onLinks({
    name: 'redis-links-hang',
    does: 'the links to Redis hang, one way or both',
    links: ({ gatewayRedis, workerRedis }) => [...gatewayRedis, ...workerRedis],
    fault: (random) => ({ kind: 'hang', direction: random.pick(DIRECTIONS) }),
  }),
  onLinks({
    name: 'postgres-links-hang',
    does: 'the links to PostgreSQL hang, one way or both: orders and standby queue',
    links: ({ gatewayPostgres, workerPostgres, workerOrders }) => [
      ...gatewayPostgres,
      ...workerPostgres,
      ...workerOrders,
    ],
    fault: (random) => ({ kind: 'hang', direction: random.pick(DIRECTIONS) }),
  }),
  onLinks({
    name: 'store-links-slow',
    does: 'every link to a store delays what it carries by 50 to 400 ms, each way',
    links: storeLinks,
    fault: (random) => ({ kind: 'delay', ms: random.between(50, 400) }),
  }),
  onLinks({
    name: 'store-links-break',
    does: 'every connection to a store breaks in the middle of a reply, again and again',
    links: storeLinks,
    fault: (random) => ({ kind: 'cut', afterBytes: () => random.between(1, MOST_BYTES) }),
  }),
  onLinks({
    name: 'store-links-refuse',
    does: "one gateway's and one worker's links to Redis are reset at once",
    links: ({ gatewayRedis, workerRedis }) => [...gatewayRedis.slice(1), ...workerRedis.slice(1)],
    fault: () => ({ kind: 'refuse' }),
  }),
  onLinks({
    name: 'notify-links-break',
    does: 'connections from the providers break in the middle of a reply',
    links: ({ notify }) => notify,
    fault: (random) => ({ kind: 'cut', afterBytes: () => random.between(1, MOST_REPLY_BYTES) }),
  }),
  onLinks({
    name: 'notify-links-hang',
    does: 'connections from the providers hang: they give up after five seconds',
    links: ({ notify }) => notify,
    fault: (random) => ({ kind: 'hang', direction: random.pick(DIRECTIONS) }),
  }),
  onLinks({
    name: 'consumer-down',
    does: "the merchant's system is down: connections to it are reset at once",
    links: ({ webhooks }) => webhooks,
    fault: () => ({ kind: 'refuse' }),
  }),
  onLinks({
    name: 'consumer-links-break',
    does: "connections to the merchant's system break in the middle of its response, after it has taken the event",
    links: ({ webhooks }) => webhooks,
    fault: (random) => ({ kind: 'cut', afterBytes: () => random.between(1, MOST_ANSWER_BYTES) }),
  }),
];

interface OnLinks extends Pick<Fault, 'name' | 'does'> {
  readonly links: (proxies: Proxies) => readonly FaultProxy[];
  readonly fault: (random: Random) => LinkFault;
}

function onLinks({ links, fault, ...about }: OnLinks): Fault {
  return {
    ...about,
    lasts: 'short',
    async begin({ cluster, random, say }) {
      const broken = links(cluster.proxies);
      const inflicted = fault(random);
      if (inflicted.kind === 'hang') say(inflicted.direction.replace('_', ' '));
      if (inflicted.kind === 'delay') say(`${inflicted.ms} ms`);
      for (const proxy of broken) proxy.inflict(inflicted);
      return () => {
        for (const proxy of broken) proxy.heal();
      };
    },
  };
}

function storeLinks({ notify: _, webhooks: __, ...stores }: Proxies): readonly FaultProxy[] {
  return Object.values(stores).flat();
}
