import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { anyFreePort } from '../machine/ports.js';
import { type OwnedProcess, own, stop, untilReady } from '../machine/process.js';
import { accessSettings, type RedisAccess } from './redis-access.js';
import { ask } from './redis-cli.js';
import { storeFolder } from './store-folder.js';

export type RedisSettings = Readonly<Record<string, string>>;

/**
 * A Redis that acknowledges nothing before it is on disk, also while it rewrites its log, and that
 * evicts nothing.
 */
const STRONG: RedisSettings = {
  bind: '127.0.0.1',
  save: '""',
  appendonly: 'yes',
  appendfsync: 'always',
  'no-appendfsync-on-rewrite': 'no',
  'maxmemory-policy': 'noeviction',
};
const READY = /ready to accept connections/i;
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

export interface RunningRedis {
  readonly url: string;
  readonly process: OwnedProcess;
  stop(): Promise<void>;
}

/** A Redis with strong settings on 127.0.0.1, on the data of the folder. */
export async function startRedis(options: {
  /** The program; null: there is none on the PATH. */
  readonly server: string | null;
  readonly folder: string;
  readonly port: number;
  readonly logFile: string;
  /** Called as soon as the process exists, long before it answers. */
  readonly onSpawn?: (owned: OwnedProcess) => void;
}): Promise<RunningRedis> {
  const { port, server } = options;
  if (server === null) throw new Error('no redis-server or valkey-server on the PATH: install one');
  const settings = { ...STRONG, port: String(port) };
  const owned = await start({ ...options, server, settings, readyWords: READY });
  return {
    url: `redis://127.0.0.1:${port}`,
    process: owned,
    stop: async () => void (await stop(owned, 'SIGTERM', STOP_LIMIT_MS)),
  };
}

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

/** @param settings in addition to the strong ones, or instead of them */
export function startOwnRedis(
  settings: RedisSettings = {},
  access?: RedisAccess,
): Promise<OwnRedis> {
  const login = access && { masteruser: access.username, masterauth: access.password };
  const base = { ...STRONG, 'repl-diskless-sync-delay': '0', ...login };
  return startOwn({ base, settings, access, readyWords: READY });
}

/** The same program as a Sentinel, which takes few of a server's settings. */
export function startOwnSentinel(settings: RedisSettings, access?: RedisAccess): Promise<OwnRedis> {
  const base = { bind: '127.0.0.1' };
  return startOwn({ base, settings, access, args: ['--sentinel'], readyWords: /\+monitor master/ });
}

async function startOwn(
  options: Pick<StartOptions, 'settings' | 'args' | 'readyWords'> & {
    readonly base: RedisSettings;
    readonly access: RedisAccess | undefined;
  },
): Promise<OwnRedis> {
  const { base, access } = options;
  const parent = storeFolder('redis');
  const [folder, logFile] = [join(parent, 'data'), join(parent, 'redis.log')];
  const port = await anyFreePort();
  const at = access ? accessSettings(access, port) : { port: String(port) };
  let running: OwnedProcess | null = null;
  const send = (signal: NodeJS.Signals) => void running?.child.kill(signal);

  const redis: OwnRedis = {
    url: `${access ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    access,
    suspend: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    async set(name, value) {
      const answer = await ask(redis, 'CONFIG', 'SET', name, value);
      if (answer !== 'OK') throw new Error(`Redis says ${answer}`);
    },
    async kill() {
      if (running) await stop(running, 'SIGKILL', STOP_LIMIT_MS);
      running = null;
    },
    async start(changed = options.settings) {
      const settings = { ...base, ...changed, ...at };
      const onSpawn = (owned: OwnedProcess) => {
        running = owned;
      };
      const same = { ...options, settings, folder, logFile, onSpawn, sharesTerminal: true };
      await start(same).catch((cause) => {
        if (access) throw new Error('no Redis with TLS (Debian builds its own with it)', { cause });
        throw cause;
      });
    },
    async remove() {
      await redis.kill();
      rmSync(parent, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}

interface StartOptions {
  readonly server?: string;
  readonly folder: string;
  readonly settings: RedisSettings;
  readonly args?: readonly string[];
  readonly logFile: string;
  /** Its output when it accepts connections. */
  readonly readyWords: RegExp;
  readonly sharesTerminal?: boolean;
  readonly onSpawn?: (owned: OwnedProcess) => void;
}

/** Valkey's is used where Redis' is not on the PATH. */
function installedServer(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const isThere = (name: string) => folders.some((folder) => existsSync(join(folder, name)));
  return ['redis-server', 'valkey-server'].find(isThere) ?? 'redis-server';
}

async function start(options: StartOptions): Promise<OwnedProcess> {
  const { server = installedServer(), folder, settings, args = [], logFile, readyWords } = options;
  mkdirSync(folder, { recursive: true });
  // Settings go through a file: on the command line Redis quotes a value with spaces. It is beside
  // the data, whose disk may be full.
  const file = `${folder}.conf`;
  const lines = Object.entries({ ...settings, dir: folder }).map(
    ([name, value]) => `${name} ${value}\n`,
  );
  writeFileSync(file, lines.join(''));
  const before = existsSync(logFile) ? statSync(logFile).size : 0;
  const owned = own('redis', server, [file, ...args], {
    output: { appendTo: logFile },
    ...(options.sharesTerminal && { sharesTerminal: true }),
  });
  options.onSpawn?.(owned);
  await untilReady(owned, logFile, START_LIMIT_MS, () =>
    readyWords.test(readFileSync(logFile).subarray(before).toString()),
  );
  return owned;
}
