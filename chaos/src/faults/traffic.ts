import { holdsWithin } from '@payonce/testkit/machine/poll';
import { type Fault, nothingToEnd } from './fault.js';

const OLDEST = 60;
const FORGET_LIMIT_MS = 15_000;
/** Captured payments of each provider. */
const CAPTURED = 3;
/** Trades that two merchants claim. */
const CONTESTED = 25;

export const trafficFaults: readonly Fault[] = [
  {
    name: 'hot-order',
    does: 'hundreds of notifications of one order at once, taken by two workers (and of a second order)',
    lasts: 'short',
    async begin({ load, generator }) {
      load.submit(generator.hot('alipay'));
      load.submit(generator.hot('wechatpay'));
      return nothingToEnd;
    },
  },
  {
    name: 'recut-messages',
    does: 'captured messages in dozens of other cuts and envelopes, signatures untouched, some before the genuine ones',
    lasts: 'short',
    async begin({ load, generator }) {
      for (const provider of ['alipay', 'wechatpay-v2'] as const) {
        for (let count = 0; count < CAPTURED; count += 1) load.submit(generator.captured(provider));
      }
      return nothingToEnd;
    },
  },
  {
    name: 'hostile-merchant',
    does: "a second merchant sends notifications with the first one's trades for its own orders, before and after the genuine ones",
    lasts: 'short',
    async begin({ load, generator }) {
      for (let count = 0; count < CONTESTED; count += 1) {
        for (const workload of generator.contested()) load.submit(workload);
      }
      return nothingToEnd;
    },
  },
  {
    name: 'last-resend',
    does: 'the last re-send after 25 hours: the first ones of the run, long after their jobs were removed',
    lasts: 'moment',
    async begin({ load, queues, say }) {
      let forgotten = 0;
      const done = await holdsWithin(FORGET_LIMIT_MS, async () => {
        forgotten += await queues.forgetCompleted();
        return true;
      });
      if (!done) throw new Error('the completed jobs could not be removed');
      const sent = await load.resendOldest(OLDEST);
      say(`${forgotten} completed jobs forgotten, ${sent} notifications sent again`);
      return nothingToEnd;
    },
  },
];
