// The directions of imports. `tests/import-directions.test.ts` runs these rules, and plants a
// violation of each to show that the rule can fail.
/**
 * @type {(name: string, comment: string, from: object, to: object) =>
 *   object & { name: string }}
 */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const TESTS = '/test/|\\.test\\.ts$';

/**
 * Folders, the lowest first: a folder imports no folder that stands after it. Files beside the
 * folders of an app put them together.
 */
export const LAYERS = {
  'packages/core/src': ['runtime', 'config', 'queue'],
  'packages/orders/src': [
    'database',
    'access',
    'orders',
    'endpoints',
    'deliveries',
    'notifications',
    'registration',
    'reports',
    'retention',
  ],
  'packages/orders/src/notifications': [
    'records',
    'contents',
    'apply',
    'held',
    'redecode',
    'dead-letters',
    'trades',
  ],
  'apps/console/src': [
    'i18n',
    'masking',
    'auth',
    'schemas',
    'reads',
    'api',
    'parts',
    'plugins',
    'routes',
    'pages',
  ],
  'chaos/src': ['history', 'workload', 'checker', 'cluster', 'faults', 'fuzz'],
  'packages/testkit/src': [
    'machine',
    'faults',
    'stores',
    'signers',
    'channels',
    'sending',
    'receiving',
    'oracle',
  ],
  'bench/src': ['load', 'variants', 'cases'],
  'apps/gateway/src': ['metrics', 'reports', 'plugins', 'routes'],
  'apps/worker/src': [
    'batch',
    'metrics',
    'consume',
    'liveness',
    'schedules',
    'redecode',
    'replay',
    'reseal',
  ],
};

const layers = Object.entries(LAYERS).flatMap(([home, folders]) =>
  folders
    .slice(0, -1)
    .map((folder, index) =>
      rule(
        `${home}: ${folder} imports no higher folder`,
        folders.join(' → '),
        { path: `^${home}/(${folder})/`, pathNot: TESTS },
        { path: `^${home}/(${folders.slice(index + 1).join('|')})/` },
      ),
    ),
);

export default {
  forbidden: [
    rule('no-cycles', 'Each file reads from top to bottom', {}, { circular: true }),
    ...layers,
    rule(
      'folders-of-an-app-import-no-file-beside-them',
      'These put the folders together; config.ts reads what each part takes',
      { path: '^apps/(console|gateway|worker)/src/[^/]+/', pathNot: TESTS },
      { path: '^apps/[^/]+/src/[^/]+$', pathNot: '/config\\.ts$' },
    ),
    rule(
      'apps-do-not-import-each-other',
      'They meet in the queue and in the database',
      { path: '^apps/([^/]+)/src' },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    rule(
      'packages-do-not-import-apps',
      'Data flows one way',
      { path: '^(packages|prisma)/', pathNot: TESTS },
      { path: '^apps/' },
    ),
    rule(
      'prisma-imports-nothing-of-ours',
      'It is the bottom',
      { path: '^prisma/[^/]+\\.ts$' },
      { path: '^(apps|packages|tooling)/' },
    ),
    rule(
      'providers-import-nothing-of-ours',
      'Who only verifies notifications installs this package alone',
      { path: '^packages/providers/src', pathNot: TESTS },
      { path: '^(apps|packages|prisma|tooling)/', pathNot: '^packages/providers/' },
    ),
    rule(
      'providers-do-no-io',
      'verify and decode are pure',
      { path: '^packages/providers/src', pathNot: TESTS },
      { path: '^(node:)?(fs|net|http|https|dns|child_process|fs/promises)$' },
    ),
    rule(
      'an-adapter-stands-alone',
      'A protocol is read without the others; registry/ lists them, and the files beside them share',
      {
        path: '^packages/providers/src/([^/]+)',
        pathNot: `^packages/providers/src/registry/|${TESTS}`,
      },
      { path: '^packages/providers/src/[^/]+/', pathNot: '^packages/providers/src/$1/' },
    ),
    rule(
      'core-reaches-no-database-of-orders',
      'The gateway stands on it',
      { path: '^packages/core/src', pathNot: TESTS },
      { path: '^(packages/orders|prisma)/|node_modules/(@prisma|\\.pnpm/@prisma)' },
    ),
    rule(
      'the-public-edge-reaches-no-order',
      'The gateway can queue, and nothing else',
      { path: '^apps/gateway/src', pathNot: TESTS },
      {
        path: '^(packages/orders|prisma)/|node_modules/(@prisma|\\.pnpm/@prisma)',
        reachable: true,
      },
    ),
    rule(
      'pure-orders',
      'deriveOrder is a function of facts',
      { path: '^packages/orders/src/orders/(derive|order)\\.ts$' },
      { path: '^(prisma/|packages/core/|packages/orders/src/database/)', reachable: true },
    ),
    rule(
      'crypto-in-one-place',
      'packages/providers/src/crypto.ts alone verifies, hashes and encrypts',
      {
        path: '^packages/(providers|core|orders)/src',
        pathNot: `^packages/providers/src/crypto\\.ts$|${TESTS}`,
      },
      { path: '^(node:)?crypto$' },
    ),
    rule(
      'nothing-deployable-signs',
      "testkit holds the providers' private keys",
      {
        path: '^(apps/(gateway|worker|console)|packages/(providers|core|orders))/src',
        pathNot: TESTS,
      },
      { path: '^packages/testkit/' },
    ),
    rule(
      'testkit-does-not-know-the-product',
      'One mistake must not hide in both the signer and the verifier',
      { path: '^packages/testkit/' },
      { path: '^(apps|bench|chaos|packages/(providers|core|orders)|prisma|tooling)/' },
    ),
    rule(
      'the-checker-is-independent',
      'It judges by the provider, by PostgreSQL and by what arrived at the merchant',
      { path: '^chaos/src/(checker/|history/|cluster/consumer)' },
      { path: '^(apps|packages/(providers|core|orders)|prisma)/', reachable: true },
    ),
    rule(
      'examples-stand-alone',
      'They are copied out of here',
      { path: '^examples/[^/]+/src' },
      { path: '^(apps|chaos|packages|prisma|tooling)/' },
    ),
    rule(
      'nobody-imports-the-bench',
      'It measures the others',
      { path: '^(apps|chaos|packages|prisma|tooling)/' },
      { path: '^bench/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules|/dist/|prisma/generated' },
    exclude: { path: '/dist/|^prisma/generated' },
    parser: 'swc',
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      conditionNames: ['@payonce/source', 'import', 'node'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
