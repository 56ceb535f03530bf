import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Redis of one test's own, to be weakened, suspended and killed. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  /** It keeps its connections and answers nothing, until `resume`. */
  suspend(): void;
  resume(): void;
  /** As `CONFIG SET`, while it runs. */
  set(name: string, value: string): Promise<void>;
  /** Ends at once, as in a crash; its data stay. */
  kill(): Promise<void>;
  /** Starts again on the same port and data, with other settings if given. */
  start(settings?: RedisSettings): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export type RedisSettings = Readonly<Record<string, string>>;

/** A Redis that keeps what it acknowledges. */
const STRONG: RedisSettings = {
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
};

/** @param settings in place of, or beside, those of a Redis that keeps what it acknowledges */
export async function startOwnRedis(settings: RedisSettings = {}): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'payonce-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;

  const own: OwnRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    suspend: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    set: (name, value) => command(port, `CONFIG SET ${name} ${value}`),
    async kill() {
      if (!child) return;
      const exited = child.exitCode === null && child.signalCode === null && once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      child = null;
    },
    async start(changed = settings) {
      child = spawnRedis(folder, { ...STRONG, ...changed, dir: folder, port: String(port) });
      await untilReady(child);
    },
    async remove() {
      await own.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await own.start();
  return own;
}

/** Settings go through a file: on the command line Redis quotes a value with spaces. */
function spawnRedis(folder: string, settings: RedisSettings): ChildProcess {
  const all = { bind: '127.0.0.1', save: '""', 'repl-diskless-sync-delay': '0', ...settings };
  const file = join(folder, 'redis.conf');
  const lines = Object.entries(all).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(file, lines.join(''));
  return spawn('redis-server', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis did not start in 15 s')), 15_000);
    let output = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis ended at start:\n${output}`)));
    child.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-10_000);
      if (!/ready to accept connections/i.test(output)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** An inline command needs no client. */
async function command(port: number, line: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${line}\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  if (String(answer) !== '+OK\r\n') throw new Error(`Redis says ${answer}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
