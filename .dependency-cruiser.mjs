// Who may import whom: apps → core → prisma, never back. `tests/import-directions.test.ts` runs
// this, and proves that it can fail by planting a forbidden import.
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule('no-cycles', 'Each file reads from top to bottom', {}, { circular: true }),
    rule(
      'apps-do-not-import-each-other',
      'They meet in the queue and in the database',
      { path: '^apps/([^/]+)/src' },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    rule(
      'nobody-imports-the-bench',
      'It measures the others',
      { path: '^(apps|chaos|packages|prisma|tooling)/' },
      { path: '^bench/' },
    ),
    rule(
      'packages-do-not-import-apps',
      'Data flows one way',
      { path: '^(packages|prisma)/', pathNot: '/test/|\\.test\\.ts$' },
      { path: '^apps/' },
    ),
    rule(
      'prisma-imports-nothing-of-ours',
      'It is the bottom',
      { path: '^prisma/[^/]+\\.ts$' },
      { path: '^(apps|packages|tooling)/' },
    ),
    rule(
      'testkit-does-not-know-core',
      'One mistake must not hide in both the signer and the verifier',
      { path: '^packages/testkit/' },
      { path: '^(apps|packages/core)/' },
    ),
    rule(
      'the-checker-is-independent',
      'It judges by the provider, by PostgreSQL and by what arrived at the merchant',
      { path: '^chaos/src/(checker/|history/|cluster/consumer)' },
      { path: '^(apps/|packages/core/|prisma/)', reachable: true },
    ),
    rule(
      'examples-stand-alone',
      'They are copied out of here',
      { path: '^examples/[^/]+/src' },
      { path: '^(apps|chaos|packages|prisma|tooling)/' },
    ),
    rule(
      'nothing-deployable-signs',
      "testkit holds the providers' private keys",
      { path: '^(apps/(gateway|worker|console)|packages/core)/src', pathNot: '\\.test\\.ts$' },
      { path: '^packages/testkit/' },
    ),
    rule(
      'the-public-edge-reaches-no-order',
      'The gateway can queue, and nothing else',
      { path: '^apps/gateway/src', pathNot: '\\.test\\.ts$' },
      {
        path: '^(prisma/|packages/core/src/(orders|notifications|deliveries|database)/|node_modules/(@prisma|\\.pnpm/@prisma))',
        // A provider states facts about an order: types, and the function that names them.
        pathNot:
          '^packages/core/src/orders/fact\\.ts$|^packages/core/src/notifications/notification\\.ts$',
        reachable: true,
      },
    ),
    rule(
      'providers-do-no-io',
      'verify and decode are pure',
      { path: '^packages/core/src/providers', pathNot: '\\.test\\.ts$' },
      { path: '^(node:)?(fs|net|http|https|dns|child_process|fs/promises)$' },
    ),
    rule(
      'crypto-in-one-place',
      'Notifications are verified by providers/crypto.ts alone',
      {
        path: '^packages/core/src',
        pathNot: '^packages/core/src/providers/crypto\\.ts$|\\.test\\.ts$',
      },
      { path: '^(node:)?crypto$' },
    ),
    rule(
      'pure-orders',
      'deriveOrder is a function of facts',
      { path: '^packages/core/src/orders/(derive|fact|order)\\.ts$' },
      { path: '^(prisma/|packages/core/src/(database|queue)/)', reachable: true },
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
