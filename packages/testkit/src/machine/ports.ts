import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Whether the port of 127.0.0.1 has no listener. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, LOOPBACK, () => probe.close(() => resolve(true)));
  });
}

/**
 * The preferred port, or the next of 100 that has no listener and that no other start has taken.
 * This process keeps it until it ends, whether or not something listens on it. A store takes
 * seconds to create its files before it listens, and a killed one comes back to its port.
 */
export async function takePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + 100; port += 1) {
    if (await take(port)) return port;
  }
  throw new Error(`no free port between ${preferred} and ${preferred + 99}`);
}

/**
 * Binds the UDP port of the same number, which is otherwise unused. Only one process of a machine
 * can do that, and the system frees it however that process ends.
 */
function lease(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind({ port, address: LOOPBACK, exclusive: true }, () => resolve(true));
  });
}

/** Whether this process has the port from now on. */
async function take(port: number): Promise<boolean> {
  return (await isFree(port)) && lease(port);
}

/** Below the ports that Linux gives to outgoing connections, which would take a port meanwhile. */
const ANY = { from: 12_000, count: 20_000 };

/** Any free port. This process keeps it until it ends, as with `takePort`. */
export async function anyFreePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = ANY.from + randomInt(ANY.count);
    if (await take(port)) return port;
  }
  throw new Error(`no free port between ${ANY.from} and ${ANY.from + ANY.count - 1}`);
}
