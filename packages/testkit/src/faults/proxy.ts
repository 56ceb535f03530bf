import { createServer } from 'node:net';
import { listen } from '../machine/listening.js';
import { type Link, type LinkFault, openLink } from './link.js';

export interface FaultProxy {
  /** On 127.0.0.1; stays the same whatever happens to the target. */
  readonly port: number;
  /** Replaces the previous fault. */
  inflict(fault: LinkFault): void;
  /** Everything passes again. */
  heal(): void;
  /** Resets open connections. */
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** On 127.0.0.1. It need not listen yet: until then connections are reset. */
  readonly targetPort: number;
  /** Called with every piece for the target, per connection: see `jobIdScanner`. */
  readonly watch?: () => (chunk: Buffer) => void;
}

const HOST = '127.0.0.1';

/** A TCP link between two processes of this machine, with the faults of real networks. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const links = new Set<Link>();
  let fault: LinkFault | null = null;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (fault?.kind === 'refuse') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const link = openLink(client, { host: HOST, port: options.targetPort }, options.watch?.());
    links.add(link);
    link.closed.then(() => links.delete(link));
    link.suffer(fault);
  });
  const { port, close } = await listen(server);

  const set = (next: LinkFault | null) => {
    fault = next;
    for (const link of links) {
      if (next?.kind === 'refuse') link.reset();
      else link.suffer(next);
    }
  };
  return {
    port,
    inflict: set,
    heal: () => set(null),
    async close() {
      for (const link of links) link.reset();
      await close();
    },
  };
}
