import { holdsWithin } from '@payonce/testkit/machine/poll';
import { now } from '../clock.js';
import type { Fault } from './fault.js';
import { isQuiet, recordHeldUp } from './measure.js';
import { hasOpenBatch } from './open-batch.js';

const IN_TRANSACTION_LIMIT_MS = 5_000;

export const frozenFaults: readonly Fault[] = [
  {
    name: 'worker-frozen-in-transaction',
    does: 'SIGSTOP of a worker inside a transaction, which keeps its locks; another applies the rest',
    lasts: 'medium',
    besidesMs: 4_000,
    async begin(context) {
      const { cluster, random, progress, say } = context;
      const quiet = await isQuiet(context);
      const index = random.between(0, cluster.workers.length - 1);
      const [link, worker] = [cluster.proxies.workerOrders[index], cluster.workers[index]?.process];
      // Holds back the database's answers: a transaction stays open until the worker is frozen.
      link?.inflict({ kind: 'hang', direction: 'from_server' });
      const inTheMiddle = await holdsWithin(IN_TRANSACTION_LIMIT_MS, () => hasOpenBatch(cluster));
      worker?.freeze();
      link?.heal();
      const from = now();
      say(inTheMiddle ? 'in mid-transaction' : 'no transaction was open');
      // Its running jobs wait, and so do other notifications for the same orders.
      const inHand = new Set(progress.waiting(0, from).map(({ orderNumber }) => orderNumber));
      return () => {
        const others = cluster.workers.length > 1;
        if (quiet && others) recordHeldUp(context, from, (one) => inHand.has(one.orderNumber));
        worker?.thaw();
      };
    },
  },
];
