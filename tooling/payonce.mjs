// The first program on a fresh clone: plain Node, no dependencies. It installs and builds what is
// missing, then hands over to the compiled tooling in the same process. So one place handles
// signals and the loss of the parent.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(3);
// With --json the standard output is for the program that reads it.
const say = args.includes('--json') ? console.error : console.log;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const state = join(root, '.payonce');
const OLDEST_NODE = [20, 19];
const VERBS = {
  build: 'installs and builds what is missing                                 (npm run build)',
  setup: 'the same, and installs the programs that the tests need            (npm run setup)',
  start: 'sets everything up, plays the demonstration, serves until Ctrl-C   (npm start)',
  demo: 'the same, ends after the demonstration, non-zero if a row is wrong  (npm run demo)',
  test: 'format, lint, types, import directions, unused code, all tests      (npm test)',
  chaos:
    'breaks everything that can break and counts what was lost           (npm run chaos -- --help)',
  fuzz: 'hostile requests against a real gateway                             (npm run fuzz -- --help)',
  bench:
    'how fast it is, beside what people would write                     (npm run bench -- --help)',
  measure:
    'the code itself: lengths, imports, prose                            (npm run measure -- --help)',
};
/**
 * Compiled by then. Each exports a function with the verb's name: `({ root, state, args }) => exit
 * code`.
 */
const MODULES = {
  setup: './dist/setup.js',
  start: './dist/start.js',
  demo: './dist/start.js',
  test: './dist/test.js',
  chaos: '../chaos/dist/main.js',
  fuzz: '../chaos/dist/fuzz/main.js',
  bench: '../bench/dist/main.js',
  measure: './dist/measure/main.js',
};

process.chdir(root);
const verb = process.argv[2];
if (!verb || !Object.hasOwn(VERBS, verb)) {
  const lines = Object.entries(VERBS).map(([name, does]) => `  ${name.padEnd(7)} ${does}`);
  console.log(`usage: node tooling/payonce.mjs VERB\n\n${lines.join('\n')}`);
  process.exit(verb === '--help' || verb === 'help' ? 0 : 2);
}
checkNode();
await install();
await build();
if (verb !== 'build') {
  const { [verb]: run } = await import(MODULES[verb]);
  process.exitCode = await run({ root, state, args });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  console.error(
    `payonce needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`,
  );
  process.exit(1);
}

/**
 * pnpm at the version that package.json pins, through npx: nothing has to be installed beforehand.
 */
async function install() {
  const stamp = join(state, 'installed');
  const wanted = fingerprint(['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]);
  const found = existsSync(stamp) && existsSync('node_modules') ? readFileSync(stamp, 'utf8') : '';
  if (found === wanted) return;
  await step('installing packages (the first time: a minute or so)', [
    'pnpm',
    'install',
    '--frozen-lockfile',
  ]);
  mkdirSync(state, { recursive: true });
  writeFileSync(stamp, wanted);
}

/** turbo skips finished builds. It looks for pnpm on the PATH, so it runs inside npx. */
async function build() {
  await step('building', [
    'turbo',
    'run',
    'build',
    '--output-logs=errors-only',
    '--no-update-notifier',
  ]);
}

function manifests() {
  const folders = ['apps', 'examples', 'packages'].flatMap((group) =>
    readdirSync(group).map((name) => join(group, name)),
  );
  return ['.', 'bench', 'chaos', 'prisma', 'tests', 'tooling', ...folders]
    .map((folder) => join(folder, 'package.json'))
    .filter((file) => existsSync(file));
}

function fingerprint(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

/** Runs a command with the pinned pnpm on the PATH; its output is shown only when it fails. */
async function step(title, command) {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  const live = process.stdout.isTTY && say === console.log;
  if (!live) say(`· ${title} …`);
  const ticker = live
    ? setInterval(() => process.stdout.write(`\r· ${title} … ${seconds()} s`), 200)
    : null;
  const words = command[0] === 'pnpm' ? command : ['pnpm', 'exec', ...command];
  const child = spawn('npx', ['-y', '-p', packageManager, '-c', words.join(' ')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', CI: 'true' },
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', resolve);
  });
  if (ticker) clearInterval(ticker);
  if (code === 0) {
    say(`${live ? '\r' : ''}✓ ${title} … ${seconds()} s`);
    return;
  }
  process.stderr.write(`\n${Buffer.concat(output)}\n✗ ${title} failed (exit code ${code}).\n`);
  process.exit(1);
}
