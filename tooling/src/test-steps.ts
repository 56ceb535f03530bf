import { rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PINNED_NODES, pinnedNode } from './pinned-node.js';
import { run } from './run.js';
import type { Workdir } from './supervisor.js';
import type { TestOptions } from './test-options.js';
import { type Counts, countsOfExit, countsOfReport } from './test-report.js';

/** Tests of a promise under load read it: without it their sizes are small. */
const FULL_SIZE = 'PAYONCE_TEST_FULL';
const CHAOS_SECONDS = 300;

export type TestRun = Workdir & TestOptions;

/** A part of `npm test` that can be repeated by its name. */
export interface Step {
  readonly name: string;
  readonly title: string;
  readonly onlyFull?: boolean;
  /** Its failure ends the run; otherwise the next step follows. It counts as no test. */
  readonly isCheck?: boolean;
  /** Of vitest.config.ts. */
  readonly projects?: readonly string[];
  run(place: TestRun): Promise<Counts>;
}

/** The cheapest first. */
export const STEPS: readonly Step[] = [
  check('lint', 'format and lint', 'biome', 'check', '--error-on-warnings', '.'),
  check('types', 'types', 'tsc', '--noEmit'),
  check('unused', 'unused code', 'knip', '--no-progress'),
  tests('unit', 'tests of parts', 'unit'),
  tests('stores', 'tests on real stores', 'stores'),
  tests('measured', 'tests that measure a latency, one by one', 'measured'),
  tests('processes', 'tests in a browser and of whole processes', 'browser', 'processes'),
  ...PINNED_NODES.map((version) => ({
    name: `node-${version.split('.')[0]}`,
    title: `tests of parts on Node ${version}`,
    onlyFull: true,
    run: (place: TestRun) => unitTestsOn(version, place),
  })),
  {
    name: 'chaos',
    title: `everything that can break, for ${CHAOS_SECONDS} s`,
    onlyFull: true,
    run: longChaos,
  },
];

function check(name: string, title: string, program: string, ...args: string[]): Step {
  return {
    name,
    title,
    isCheck: true,
    run: async ({ root }) => {
      const code = await run(join(root, 'node_modules', '.bin', program), args, 'inherit');
      return { passed: 0, failed: code === 0 ? 0 : 1, skipped: [] };
    },
  };
}

function tests(name: string, title: string, ...projects: string[]): Step {
  return {
    name,
    title,
    projects,
    run: (place) => {
      const env = { [FULL_SIZE]: place.full ? '1' : '' };
      return vitest(process.execPath, name, projects, place, env);
    },
  };
}

/** At the small size: this is about Node, and `unit` has the full size. */
async function unitTestsOn(version: string, place: TestRun): Promise<Counts> {
  const node = await pinnedNode(place.state, version);
  if (node === null) return { passed: 0, failed: 1, skipped: [] };
  // The tests' own processes get this Node too.
  const env = { PATH: [dirname(node), process.env.PATH].join(delimiter) };
  return vitest(node, `unit-node-${version}`, ['unit'], place, { ...env, [FULL_SIZE]: '' });
}

async function vitest(
  node: string,
  name: string,
  projects: readonly string[],
  { root, state }: TestRun,
  env: NodeJS.ProcessEnv,
): Promise<Counts> {
  const report = join(state, `test-report-${name}.json`);
  rmSync(report, { force: true });
  const args = [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const code = await run(node, args, 'inherit', env);
  return countsOfReport(root, report, code);
}

async function longChaos({ root, seed }: TestRun): Promise<Counts> {
  const former = process.env.PAYONCE_FORMER_DIR;
  const args = ['--seconds', String(CHAOS_SECONDS), '--seed', String(seed)];
  if (former !== undefined) args.push('--former', former);
  console.log(`· npm run chaos -- ${args.join(' ')}`);
  const command = [join(root, 'tooling', 'payonce.mjs'), 'chaos', ...args];
  return countsOfExit(await run(process.execPath, command, 'inherit'));
}
