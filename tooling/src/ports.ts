import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Whether nothing listens on the port of 127.0.0.1. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, LOOPBACK, () => probe.close(() => resolve(true)));
  });
}

/**
 * The preferred port, or the next of the 100 that begin with it that nothing listens on and no other
 * start has taken. It is this process's until it ends, whether anything listens on it or not: a store
 * takes seconds to make its files before it listens, and one that is killed comes back to its port.
 */
export async function takePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + 100; port += 1) {
    if ((await isFree(port)) && (await lease(port))) return port;
  }
  throw new Error(`no free port between ${preferred} and ${preferred + 99}`);
}

/**
 * Binds the UDP port of the same number, which nobody uses: of all processes of a machine one can, and
 * the system gives it back whatever ends that process.
 */
function lease(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind({ port, address: LOOPBACK, exclusive: true }, () => resolve(true));
  });
}

/** Any free port, chosen by the system. */
export function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, LOOPBACK, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
