import { until } from '@payonce/testkit/machine/poll';
import type { Shop } from './shop.js';

/** Every shard has a master that keeps its acknowledged jobs, if required on a replica too. */
export async function untilAllReady(shop: Shop): Promise<void> {
  await until('every store to be ready', 30_000, async () => {
    const { parts } = (await (await shop.get('/readyz')).json()) as { parts: object };
    return Object.values(parts).every((state) => state === 'ready');
  });
}

/** How many notifications the gateway has put into each store. */
export async function queuedIn(shop: Shop): Promise<Record<string, number>> {
  const text = await (await shop.get('/metrics')).text();
  const lines = text.matchAll(/^payonce_gateway_queued_total\{queue="([^"]+)".*\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, store = '', count]) => [store, Number(count)]));
}
