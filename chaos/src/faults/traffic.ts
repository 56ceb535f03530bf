import { holdsWithin } from '../clock.js';
import { type Fault, nothingToEnd } from './fault.js';

const OLDEST = 60;
const FORGET_LIMIT_MS = 15_000;

export const trafficFaults: readonly Fault[] = [
  {
    name: 'hot-order',
    does: 'hundreds of notifications of one order at once, taken by two workers (and of a second order)',
    lasts: 'short',
    async begin({ load, stories }) {
      load.tell(stories.hot('alipay'));
      load.tell(stories.hot('wechatpay'));
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
