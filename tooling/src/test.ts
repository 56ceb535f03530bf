import { ensurePrograms } from './ensure-programs.js';
import { TEST_PROGRAMS } from './programs.js';
import type { Workdir } from './supervisor.js';
import { readTestOptions, type TestOptions } from './test-options.js';
import { type Counts, summarise } from './test-report.js';
import { STEPS, type Step, type TestRun } from './test-steps.js';

const LONGEST_NAME = Math.max(...STEPS.map(({ name }) => name.length));
const described = (onlyFull: boolean) =>
  STEPS.filter((step) => (step.onlyFull ?? false) === onlyFull)
    .map(({ name, title }) => `  ${name.padEnd(LONGEST_NAME)}  ${title}`)
    .join('\n');

const HELP = `npm test               every check and every test; long tests run at a small size
npm run test:full      the same tests, each at the size that the documents state, and more steps;
                       under 25 minutes on two cores. A skipped test is a failure, unless it needs a
                       folder that a variable of the environment names: these are listed

  --only NAME[,NAME]   these steps alone, after "--": npm run test:full -- --only chaos
  --seed S             repeats the faults of that chaos run

Steps:
${described(false)}
At the full size only:
${described(true)}

Beside Node and npm the tests need programs. Where one is missing, root on Debian installs it first and
stops the service that its package starts; each command is announced. 'npm run setup' does this alone.
To install them yourself, run this first:
  apt-get install ${TEST_PROGRAMS.flatMap(({ packages }) => packages).join(' ')}`;

/**
 * `npm test`: format, lint, types, unused code, then every test (import directions are tests too),
 * each step with its time. The last line is `N passed, N failed`, from vitest's reports.
 */
export async function test(place: Workdir & { readonly args: readonly string[] }): Promise<number> {
  let options: TestOptions | 'help';
  try {
    options = readTestOptions(place.args, STEPS);
  } catch (error) {
    console.error(`✗ ${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options === 'help') {
    console.log(HELP);
    return 0;
  }
  return checkAndTest({ root: place.root, state: place.state, ...options }).catch(
    (error: Error) => {
      console.error(`✗ ${error.message}`);
      return 1;
    },
  );
}

async function checkAndTest(run: TestRun): Promise<number> {
  if (!(await ensurePrograms(TEST_PROGRAMS))) return 1;
  const steps = stepsOf(run);
  const counts: Counts[] = [];
  for (const [index, step] of steps.entries()) {
    const result = await timed(step, `${index + 1}/${steps.length} ${step.title}`, run);
    if (step.isCheck && result.failed > 0) return 1;
    counts.push(result);
  }
  const { lines, code } = summarise(counts, run.full, process.env);
  for (const line of lines) console.log(line);
  return code;
}

function stepsOf({ full, only }: TestRun): readonly Step[] {
  if (only.length > 0) return STEPS.filter(({ name }) => only.includes(name));
  return STEPS.filter(({ onlyFull }) => full || !onlyFull);
}

async function timed(step: Step, title: string, run: TestRun): Promise<Counts> {
  const started = Date.now();
  console.log(`· ${title}`);
  const counts = await step.run(run);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${counts.failed === 0 ? '✓' : '✗'} ${title} … ${seconds} s`);
  return counts;
}
