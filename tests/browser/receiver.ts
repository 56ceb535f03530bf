import { randomBytes } from 'node:crypto';
import { systemClock } from '@payonce/core/runtime/clock';
import { createEndpoint } from '@payonce/orders/endpoints/commands';
import { createAddressPolicy, parseNetwork } from '@payonce/orders/endpoints/networks';
import { startReceiver } from '@payonce/testkit/receiving/receiver';
import { Webhook } from 'standardwebhooks';
import type { Shop } from '../shop.js';
import { silent } from '../silent.js';

const KEY = randomBytes(32);
const LOOPBACK = '127.0.0.0/8';

/** The settings with which a shop's worker sends order events to this machine. */
export const WEBHOOK_ENV = {
  PAYONCE_ENCRYPTION_KEY: KEY.toString('base64'),
  PAYONCE_WEBHOOK_ALLOW_NETWORKS: LOOPBACK,
  PAYONCE_WORKER_DELIVERY_POLL_MS: '100',
};

export interface Receiver {
  /**
   * Types of the received order events, each with a verified signature of its endpoint's secret.
   */
  readonly received: readonly string[];
  close(): Promise<void>;
}

/** A merchant's system: an endpoint of the shop that verifies its requests, as any would. */
export async function openReceiver(shop: Shop, name: string): Promise<Receiver> {
  const received: string[] = [];
  let webhook: Webhook | null = null;
  const { url, close } = await startReceiver(({ body, headers }, response) => {
    try {
      const message = webhook?.verify(body, headers) as { type: string };
      received.push(message.type);
      response.writeHead(204).end();
    } catch {
      response.writeHead(401).end('not signed by our secret');
    }
  });
  webhook = new Webhook(await addEndpoint(shop, name, `${url}/orders`));
  return { received, close };
}

/** @returns its secret, shown only once */
export async function addEndpoint(shop: Shop, name: string, url: string): Promise<string> {
  const network = parseNetwork(LOOPBACK);
  const deps = {
    prisma: shop.prisma,
    log: silent,
    clock: systemClock,
    encryptionKeys: [{ id: null, key: KEY }] as const,
    policy: createAddressPolicy(network ? [network] : []),
  };
  const wanted = { actor: 'test', reason: null, merchant: 'demo', name, url, eventTypes: [] };
  const made = await createEndpoint(deps, wanted);
  if (made.result !== 'done' || made.secret === null)
    throw new Error(`no endpoint: ${made.result}`);
  return made.secret;
}
