import { holdsWithin } from '@payonce/testkit/machine/poll';
import { type Fault, nothingToEnd } from './fault.js';
import { hasOpenBatch } from './open-batch.js';

/** How long it takes until a worker under load is in the middle of a batch. */
const IN_TRANSACTION_LIMIT_MS = 5_000;

export const processFaults: readonly Fault[] = [
  {
    name: 'gateway-killed',
    does: 'SIGKILL of a gateway with requests in progress; it restarts',
    lasts: 'moment',
    async begin({ cluster, random }) {
      await random.pick(cluster.gateways).process.crash();
      return nothingToEnd;
    },
  },
  {
    name: 'worker-killed',
    does: 'SIGKILL of a worker in the middle of a transaction; it restarts',
    lasts: 'moment',
    async begin({ cluster, random, say }) {
      const index = random.between(0, cluster.workers.length - 1);
      const link = cluster.proxies.workerOrders[index];
      // Holds back the database's answers: batches stop wherever they are, some committed.
      link?.inflict({ kind: 'hang', direction: 'from_server' });
      const inTheMiddle = await holdsWithin(IN_TRANSACTION_LIMIT_MS, () => hasOpenBatch(cluster));
      await cluster.workers[index]?.process.crash();
      link?.heal();
      say(inTheMiddle ? 'in mid-transaction' : 'no transaction was open');
      return nothingToEnd;
    },
  },
  {
    name: 'all-killed',
    does: 'SIGKILL of every process at once, both stores too; all restart',
    lasts: 'moment',
    async begin({ cluster }) {
      const { redis, postgres, gateways, workers, console } = cluster;
      const apps = [...gateways, ...workers, console].map(({ process }) => process);
      await Promise.all([redis, postgres, ...apps].map((one) => one.crash()));
      return nothingToEnd;
    },
  },
];
