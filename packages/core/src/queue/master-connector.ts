import { Socket } from 'node:net';
import type { AbstractConnector } from 'ioredis';
import { messageOf } from '../runtime/errors.js';
import type { MasterDiscovery } from './redis-discovery.js';
import type { RedisTrust } from './redis-settings.js';
import { type Address, CLOSE_LIMIT_MS, SocketConnector } from './redis-socket.js';

/**
 * A `Connector` for ioredis that asks nodes of the cluster, or Sentinels, for the master before
 * each connection. ioredis's `Cluster` spreads keys over connections to every node and hides its
 * retries. A shard of the queue has all its keys in one slot, so a plain connection to that slot's
 * master is enough. On it `WAIT`, time-outs and the durability check have their usual meaning.
 * After a fail-over the connection breaks, and the next one leads to the new master. ioredis's
 * connector for Sentinels does the same, but hides why a Sentinel could not be asked.
 */
export function masterConnector(
  discovery: MasterDiscovery,
  tls: RedisTrust | null,
): new () => AbstractConnector {
  let known = discovery.seeds;
  return class extends SocketConnector {
    constructor() {
      super(CLOSE_LIMIT_MS);
    }

    /**
     * The named server may be a replica by now: then this connection is dropped, and the
     * discovery starts again.
     */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === 'master';
    }

    /**
     * An error here would end the client permanently. A closed socket counts as a failed attempt.
     */
    async connect(): Promise<Socket> {
      this.connecting = true;
      try {
        const { master, others } = await askAnyOf(known, discovery, () => this.connecting);
        known = withoutDoubles([...others, ...discovery.seeds]);
        return this.open(master, tls);
      } catch (error) {
        this.firstError = error instanceof Error ? error : new Error(String(error));
        return new Socket().destroy();
      }
    }
  };
}

/**
 * Asks in a different order each time: an outdated server must not be the only one asked.
 * @throws Error with the last reason; without the original error as its cause, since that holds the
 * password
 */
async function askAnyOf(
  addresses: readonly Address[],
  { serverKind, ask }: MasterDiscovery,
  isWanted: () => boolean,
) {
  const start = Math.floor(Math.random() * addresses.length);
  let reason = '';
  for (const address of [...addresses.slice(start), ...addresses.slice(0, start)]) {
    const known = await ask(address).catch((error) => {
      reason = messageOf(error);
      return null;
    });
    // ioredis does not report this message of a connection that was closed on purpose.
    if (!isWanted()) throw new Error('Connection is closed.');
    if (known) return known;
  }
  throw new Error(`no ${serverKind} names a master: ${reason}`);
}

function withoutDoubles(nodes: readonly Address[]): Address[] {
  return [...new Map(nodes.map((node) => [`${node.host}:${node.port}`, node])).values()];
}
