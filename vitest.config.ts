import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Workspace packages are read from their sources, so tests never run against a stale build.
const resolve = { conditions: ['@payonce/source', 'node'] };
const ssr = { resolve };
// `isolate: false` below: our modules have no side effects at import, so that test files can share
// the modules of their worker. Loading them again for each file took longer than many of the tests.

/** `npm run test:full` */
const FULL_SIZE = process.env.PAYONCE_TEST_FULL === '1';

/** Minutes each, the longest first: started last, one of them would run alone at the end. */
const LONGEST = ['local-run.test.ts', 'broken-variants.test.ts', 'chaos.test.ts', 'pages.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** What every project on stores has in common. */
const ON_STORES = {
  globalSetup: ['tests/stores.ts'],
  isolate: false,
  testTimeout: 30_000,
  hookTimeout: 60_000,
};
/** These measure latency under load, the first one at full size: nothing runs beside them. */
const MEASURED_AT_FULL_SIZE = ['apps/worker/test/locks.test.ts'];
const MEASURED = ['strangers', 'hostile-role'].map((name) => `tests/processes/${name}.test.ts`);

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // vitest leaves one core free by default; of two that is half.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: [
            '{apps,packages}/*/src/**/*.test.ts',
            'tooling/src/**/*.test.ts',
            'bench/src/**/*.test.ts',
            'chaos/src/**/*.test.ts',
            'examples/*/test/*.test.ts',
            'tests/differential/*.test.ts',
          ],
          isolate: false,
          // Properties run hundreds of cases: seconds on a busy machine.
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'stores',
          include: [
            '{apps,packages}/*/test/**/*.test.ts',
            'prisma/test/**/*.test.ts',
            'tests/*.test.ts',
          ],
          exclude: FULL_SIZE
            ? [...configDefaults.exclude, ...MEASURED_AT_FULL_SIZE]
            : configDefaults.exclude,
          ...ON_STORES,
          // One more than cores: many of these wait for a store that is down, or hangs.
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'measured',
          include: FULL_SIZE ? [...MEASURED, ...MEASURED_AT_FULL_SIZE] : MEASURED,
          ...ON_STORES,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      {
        resolve,
        ssr,
        test: {
          // The console's pages in a real Chromium; it needs what the stores' tests need.
          name: 'browser',
          include: ['tests/browser/*.test.ts'],
          globalSetup: ['tests/stores.ts'],
          sequence: { groupOrder: 2 },
          // Twenty pages each; seconds on an idle machine.
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          // The whole product as separate processes.
          name: 'processes',
          include: ['tests/processes/*.test.ts', 'bench/test/*.test.ts', 'chaos/test/*.test.ts'],
          exclude: [...configDefaults.exclude, ...MEASURED],
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
