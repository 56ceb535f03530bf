import { holdsWithin } from '@payonce/testkit/machine/poll';
import type { Fault } from './fault.js';

const READY_LIMIT_MS = 30_000;

export const formerFaults: readonly Fault[] = [
  {
    name: 'former-release-beside',
    does: 'a gateway and a worker of the previous release run beside the current ones, on the same stores (--former DIR)',
    lasts: 'medium',
    besidesMs: 8_000,
    arrange: async ({ cluster }) =>
      cluster.former === null
        ? 'give --former DIR: a checkout of the previous release, with `npm ci` and a build'
        : null,
    async begin({ cluster: { former }, load, say }) {
      if (former === null) throw new Error('there is no previous release');
      // The previous release treats each cut as another content.
      load.allowRecuts(false);
      for (const { process } of [former.worker, former.gateway]) process.up();
      const ready = await holdsWithin(READY_LIMIT_MS, former.isReady);
      if (!ready) say('the previous release was not ready');
      const leave = load.share(former.notifyUrl);
      return async () => {
        leave();
        // As in a deployment: the gateway first, and both finish their running work.
        for (const { process } of [former.gateway, former.worker]) await process.retire();
        load.allowRecuts(true);
      };
    },
  },
];
