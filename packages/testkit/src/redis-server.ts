import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { accessSettings, type RedisAccess } from './redis-access.js';
import { ask } from './redis-cli.js';
import { storeFolder } from './store-folder.js';

/** A separate Redis for one test, to be weakened, suspended and killed. */
export interface OwnRedis {
  /** Without a name or a password. */
  readonly url: string;
  readonly port: number;
  /** Its required access; undefined: it accepts anyone, without TLS. */
  readonly access: RedisAccess | undefined;
  /** It keeps its connections and answers nothing, until `resume`. */
  suspend(): void;
  resume(): void;
  /** Like `CONFIG SET`, while it runs. */
  set(name: string, value: string): Promise<void>;
  /** Ends at once, as in a crash; its data stays. */
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

/**
 * @param settings in addition to those of a Redis that keeps what it acknowledges, or instead of
 * them
 */
export function startOwnRedis(
  settings: RedisSettings = {},
  access?: RedisAccess,
): Promise<OwnRedis> {
  const login = access && { masteruser: access.username, masterauth: access.password };
  return startOwn({
    base: { save: '""', 'repl-diskless-sync-delay': '0', ...STRONG, ...login },
    settings,
    access,
    args: [],
    readyWords: /ready to accept connections/i,
  });
}

/** The same program as a Sentinel, which takes few of a server's settings. */
export function startOwnSentinel(settings: RedisSettings, access?: RedisAccess): Promise<OwnRedis> {
  const args = ['--sentinel'];
  return startOwn({ base: {}, settings, access, args, readyWords: /\+monitor master/ });
}

interface OwnOptions {
  readonly base: RedisSettings;
  readonly settings: RedisSettings;
  readonly access: RedisAccess | undefined;
  readonly args: readonly string[];
  /** Its output when it accepts connections. */
  readonly readyWords: RegExp;
}

async function startOwn(options: OwnOptions): Promise<OwnRedis> {
  const { base, settings, access, args, readyWords } = options;
  const folder = storeFolder('redis');
  const port = await freePort();
  let child: ChildProcess | null = null;
  const at = access ? accessSettings(access, port) : { port: String(port) };

  const own: OwnRedis = {
    url: `${access ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    access,
    suspend: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async set(name, value) {
      const answer = await ask(own, 'CONFIG', 'SET', name, value);
      if (answer !== 'OK') throw new Error(`Redis says ${answer}`);
    },
    async kill() {
      if (!child) return;
      const exited = child.exitCode === null && child.signalCode === null && once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      child = null;
    },
    async start(changed = settings) {
      const all = { bind: '127.0.0.1', ...base, ...changed, dir: folder, ...at };
      child = spawnRedis(folder, all, args);
      await untilReady(child, readyWords).catch((error) => {
        if (access)
          throw new Error('no Redis with TLS (Debian builds its own with it)', { cause: error });
        throw error;
      });
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
function spawnRedis(
  folder: string,
  settings: RedisSettings,
  args: readonly string[],
): ChildProcess {
  const file = join(folder, 'redis.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  writeFileSync(file, lines.join(''));
  return spawn('redis-server', [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

function untilReady(child: ChildProcess, words: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis did not start in 15 s')), 15_000);
    let output = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis ended at start:\n${output}`)));
    child.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-10_000);
      if (!words.test(output)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
