import { connect, type Socket } from 'node:net';
import { openSession } from '@payonce/testkit/stores/sessions';
import type { Cluster } from '../cluster/cluster.js';
import type { Fault } from './fault.js';

/** Not the providers' address; the others of this machine are theirs. */
const STRANGER = '127.0.0.9';
/** More than one address may have of a gateway's connections. */
const SILENT = 1_500;
/** The load comes from this process and shares its core. */
const FLOODERS = 20;
const CONNECT_LIMIT_MS = 2_000;

export const strangerFaults: readonly Fault[] = [
  {
    name: 'silent-connections',
    does: 'a stranger opens 1,500 connections to each gateway and sends nothing',
    lasts: 'short',
    async begin({ cluster }) {
      const open = openSockets(cluster);
      for (const port of cluster.gatewayPorts) {
        for (let count = 0; count < SILENT; count += 1) open.socket(port);
      }
      return open.end;
    },
  },
  {
    name: 'expensive-bodies',
    does: 'a stranger posts the bodies that cost most before they are refused, all the time',
    lasts: 'short',
    async begin({ cluster, say }) {
      const open = openSockets(cluster);
      const request = expensiveRequest();
      let posted = 0;
      const post = (port: number) => {
        const socket = open.socket(port);
        socket.write(request);
        socket.once('data', () => socket.destroy());
        socket.once('close', () => {
          posted += 1;
          if (!open.over()) setImmediate(() => post(port));
        });
      };
      for (let count = 0; count < FLOODERS; count += 1) {
        for (const port of cluster.gatewayPorts) post(port);
      }
      return () => {
        open.end();
        say(`${posted} posted`);
      };
    },
  },
  {
    name: 'queue-role-hostile',
    does: "somebody has the queue's role in PostgreSQL: takes all its connections, locks its tables and numbers",
    lasts: 'short',
    async begin({ cluster: { queueDatabaseUrl }, say }) {
      const taken: Awaited<ReturnType<typeof openSession>>[] = [];
      const hold = async (...statements: readonly string[]) => {
        const session = await openSession(queueDatabaseUrl);
        taken.push(session);
        for (const statement of statements) await session.query(statement).catch(() => {});
      };
      const limit = "SET LOCAL lock_timeout = '2s'";
      await hold('BEGIN', limit, 'LOCK TABLE payonce_queue.job');
      await hold('SELECT pg_advisory_lock(n) FROM generate_series(1, 500) AS n');
      for (let refused = false; !refused; ) {
        const session = openSession(queueDatabaseUrl, {
          connectionTimeoutMillis: CONNECT_LIMIT_MS,
        });
        refused = await session.then(
          (one) => !taken.push(one),
          () => true,
        );
      }
      say(`${taken.length} connections taken`);
      return async () => {
        await Promise.all(taken.map((session) => session.end()));
      };
    },
  },
];

/** Sockets of a stranger, until all end at once. */
function openSockets({ gatewayPorts }: Pick<Cluster, 'gatewayPorts'>) {
  const sockets = new Set<Socket>();
  let over = gatewayPorts.length === 0;
  return {
    over: () => over,
    socket(port: number): Socket {
      const socket = connect({ host: '127.0.0.1', port, localAddress: STRANGER });
      sockets.add(socket);
      // The gateway refuses and resets them.
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    end() {
      over = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Well-formed, as large as allowed, with as many references as are read, and a wrong signature. */
function expensiveRequest(): string {
  const fields = Array.from(
    { length: 150 },
    (_, n) => `<a${n}>${'a&lt;'.repeat(26)}${'x'.repeat(250)}</a${n}>`,
  );
  const body = `<xml>${fields.join('')}<sign>${'0'.repeat(64)}</sign></xml>`;
  return `POST /notify/wechatpay-v2/sim-wechat-v2 HTTP/1.1\r\nhost: gateway\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}
