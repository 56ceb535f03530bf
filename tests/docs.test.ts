import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ERRORS } from '@payonce/core/runtime/errors';
import { LOG_EVENTS } from '@payonce/core/runtime/log-events';
import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { DEAD_LETTER_REASONS } from '@payonce/orders/notifications/records/dead-letter';
import { ATTENTION_FLAGS } from '@payonce/orders/orders/order';
import { describe, expect, test } from 'vitest';
import { startConsole } from '../apps/console/test/support.js';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Without git's ignored files, but with files that are about to be added. */
function files(...patterns: string[]): string[] {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const found = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\n');
  return found.filter((file) => file !== '' && existsSync(join(root, file)));
}

/** The text below a heading, up to the next one of any level. */
function section(text: string, heading: string): string {
  const [, after] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (after === undefined) throw new Error(`there is no heading "${heading}"`);
  return after.split(/^#/m)[0] ?? '';
}

/** The names in backticks in the first column of the tables. */
function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

/** Documented exactly once: of two descriptions, one becomes wrong some day. */
function expectSame(documented: readonly string[], inCode: Iterable<string>): void {
  expect([...documented].sort()).toEqual([...new Set(inCode)].sort());
}

/** The members of a union of texts. */
function unionIn(file: string, type: string): string[] {
  const [, members = ''] = new RegExp(`type ${type} =([^;]+);`).exec(read(file)) ?? [];
  return [...members.matchAll(/'([a-z_]+)'/g)].map(([, name = '']) => name);
}

function allIn(patterns: readonly string[], pattern: RegExp): string[] {
  const sources = files(...patterns).filter((file) => !file.endsWith('.test.ts'));
  return sources.flatMap((file) => [...read(file).matchAll(pattern)].map(([, name = '']) => name));
}

describe('docs/failure-modes.md', () => {
  const text = read('docs/failure-modes.md');
  const rejectReasons = unionIn('packages/providers/src/provider.ts', 'RejectReason');
  const problems = allIn(['apps/console/src/*.ts'], /problem\(\s*\w+,\s*'([a-z_]+)'/g);

  test.each([
    ['Errors', Object.keys(ERRORS)],
    ['Rejected by the gateway', rejectReasons],
    ['Held', HOLD_REASONS],
    ['Attention', ATTENTION_FLAGS],
    ['Dead letters', DEAD_LETTER_REASONS],
    ['Deliveries', unionIn('packages/orders/src/deliveries/delivery-rows.ts', 'ParkedReason')],
    ['Disabled endpoints', unionIn('packages/orders/src/endpoints/rows.ts', 'DisabledReason')],
    ['API errors', problems],
  ])('%s: each in the code has a row, and each row is in the code', (heading, inCode) => {
    expect(inCode.length).toBeGreaterThan(3); // what was not found in the code is not compared
    expectSame(firstColumn(section(text, heading)), inCode);
  });

  test('every row has its meaning, and all but a few an action', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(row.split(' | ')[1]?.length, row).toBeGreaterThan(3);
    expect(rows.filter((row) => row.endsWith('| |')).length).toBeLessThan(6);
  });
});

describe('docs/metrics.md', () => {
  const text = read('docs/metrics.md');
  const METRIC =
    /(?:new (Counter|Gauge|Histogram)\(|watchCount\(metrics, )\{\s+name: '(\w+)',(.*?)\n\s*\}\)/gs;
  const productSources = (folder: string) =>
    files(`${folder}/*.ts`).filter((file) => !file.endsWith('.test.ts'));

  /** Name, type, labels, and the first sentence of the help text, as a row has them. */
  function metricsIn(folder: string): string[] {
    return productSources(folder).flatMap((file) =>
      [...read(file).matchAll(METRIC)].map(([, type = 'Gauge', name, rest = '']) => {
        const [, , help = ''] = /help:\s*(['"])(.*?)\1,\n/.exec(rest) ?? [];
        const [, labelNames = ''] = /labelNames: (.+),\n/.exec(rest) ?? [];
        const labels = labelNames
          .replace('CHANNEL_LABELS', "'provider', 'channel'")
          .match(/'\w+'/g);
        const cells = [
          `\`${name}\``,
          type.toLowerCase(),
          labels?.join(', ').replaceAll("'", '`') ?? '',
          help.replace(/\.( .*)?$/, ''),
        ];
        return cells.join(' | ').replace(' |  | ', ' | | ');
      }),
    );
  }

  const sections = [
    ['Gateway', metricsIn('apps/gateway/src')],
    ['Worker', metricsIn('apps/worker/src')],
    ['Gateway and worker', metricsIn('packages/core/src')],
    ['Worker and console', metricsIn('packages/orders/src')],
  ] as const;
  const inCode = sections.flatMap(([, metrics]) => metrics);

  test.each(sections)(
    '%s: has each metric of the code with its help, and no other',
    (heading, metrics) => {
      expect(metrics.length).toBeGreaterThan(0);
      const rows = [...section(text, heading).matchAll(/^\| (`payonce_.+) \|[^|]*\|$/gm)];
      expectSame(
        rows.map(([, row = '']) => row),
        metrics,
      );
    },
  );

  test('no metric is created in another folder or form', () => {
    const created = ['apps', 'packages'].flatMap((folder) =>
      productSources(folder).flatMap(
        (file) =>
          read(file).match(/new (?:Counter|Gauge|Histogram|Summary)\(|watchCount\(metrics/g) ?? [],
      ),
    );
    expect(created.length).toBe(inCode.length + 1); // the one is in `watchCount`
  });

  test('no document names a metric that does not exist', () => {
    const names = inCode.map((row) => /\w+/.exec(row)?.[0]);
    const documents = files('*.md', ':!:CHANGELOG.md'); // which names removed ones
    const named = documents.flatMap((file) =>
      [...read(file).matchAll(/\bpayonce_[a-z]+_[a-z_]+\b/g)].map(([name]) => ({ file, name })),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ name }) => !names.includes(name))).toEqual([]);
  });
});

describe('docs/logs.md', () => {
  const rows = [...read('docs/logs.md').matchAll(/^\| `([a-z_.]+)` \| ([a-z, ]+) \|/gm)];

  test('has each event that a process logs with its levels, and no other', () => {
    const inCode = Object.entries(LOG_EVENTS).map(([event, levels]) => `${event}: ${levels}`);
    expect(inCode.length).toBeGreaterThan(60);
    expectSame(
      rows.map(([, event, levels = '']) => `${event}: ${levels.replaceAll(', ', ',')}`),
      inCode,
    );
  });

  test('each event of the table is logged somewhere', () => {
    const sources = files('apps/*/src/*.ts', 'packages/*/src/*.ts')
      .filter((file) => !/log-events\.ts$|\.test\.ts$/.test(file))
      .map(read)
      .join('');
    const unused = Object.keys(LOG_EVENTS).filter((event) => !sources.includes(`'${event}'`));
    expect(unused).toEqual([]);
  });
});

test("the glossary's hold reasons and attention flags are the code's", () => {
  const glossary = read('docs/glossary.md');
  expectSame(firstColumn(section(glossary, 'Hold reasons')), HOLD_REASONS);
  const [attention = ''] = glossary.split('\n').filter((line) => line.startsWith('| attention |'));
  for (const flag of ATTENTION_FLAGS) expect(attention).toContain(`\`${flag}\``);
});

describe('environment variables', () => {
  const NAME = /\b(PAYONCE_[A-Z0-9_]+|DATABASE_URL|REDIS_URL|NODE_ENV)\b/g;
  const configs = ['apps/*/src/config.ts', 'apps/*/src/main.ts', 'packages/core/src/config/*.ts'];
  const inCode = allIn(
    [
      ...configs,
      'packages/core/src/queue/*-settings.ts',
      'packages/orders/src/deliveries/*-settings.ts',
      'prisma/main.ts',
    ],
    NAME,
  );
  const documented = firstColumn(read('docs/settings.md'));

  test('docs/settings.md has each that a process reads, and no other', () => {
    expect(documented.length).toBeGreaterThan(20);
    expectSame(documented, inCode);
  });

  test('no document names another one', () => {
    const documents = files('*.md', ':!:docs/settings.md');
    const named = documents.flatMap((file) =>
      [...read(file).matchAll(NAME)].map(([, name = '']) => ({ file, name })),
    );
    expect(named.length).toBeGreaterThan(20);
    // CONTRIBUTING.md names those of the tests, too.
    const ofTests = allIn(['tooling/src/*.ts', '*/src/*.test.ts', 'tests/*.ts'], NAME);
    const isKnown = ({ file, name }: { file: string; name: string }) =>
      documented.includes(name) || (file === 'CONTRIBUTING.md' && ofTests.includes(name));
    expect(named.filter((one) => !isKnown(one))).toEqual([]);
  });

  test('no file of the product reads one past the configuration', () => {
    const sources = files('apps/*/src/*.ts', 'packages/*/src/*.ts', ':!:packages/testkit').filter(
      (file) => !/\.test\.ts$|\/(config|main)\.ts$/.test(file) && /process\.env\b/.test(read(file)),
    );
    expect(sources).toEqual([]);
  });
});

describe('links', () => {
  const links = files('*.md').flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => ({ file, link })),
  );
  const relative = links.filter(({ link }) => !/^[a-z]+:/.test(link));

  test('every relative one leads to a file', () => {
    expect(relative.length).toBeGreaterThan(10);
    const lost = relative.filter(({ file, link }) => {
      const [path = ''] = link.split('#');
      return path !== '' && !existsSync(join(root, dirname(file), path));
    });
    expect(lost).toEqual([]);
  });

  test('every one to a heading leads to a heading', () => {
    const lost = relative.filter(({ file, link }) => {
      const [path = '', anchor] = link.split('#');
      if (anchor === undefined) return false;
      const target = path === '' ? file : join(dirname(file), path);
      return target.endsWith('.md') && !anchorsOf(read(target)).includes(anchor);
    });
    expect(lost).toEqual([]);
  });
});

describe('code that documents name', () => {
  /** Pages about a provider cite files of its SDKs. */
  const documents = files('*.md', ':!:docs/providers');
  const named = (pattern: RegExp) =>
    documents.flatMap((file) =>
      [...read(file).matchAll(pattern)].map(([, name = '']) => ({ file, name })),
    );

  test('every file exists', () => {
    const paths = files('*.ts', '*.mjs').map((path) => `/${path}`);
    const inDocuments = named(/`([\w./-]+\.(?:ts|mjs))`/g);
    expect(inDocuments.length).toBeGreaterThan(50);
    const lost = inDocuments.filter(({ name }) => !paths.some((path) => path.endsWith(`/${name}`)));
    expect(lost).toEqual([]);
  });

  test('every module can be imported', () => {
    const modules = named(/\bfrom '@payonce\/([^']+)'/g);
    expect(modules.length).toBeGreaterThan(2);
    const lost = modules.filter(({ name }) => {
      const [pkg = '', ...path] = name.split('/');
      return !existsSync(join(root, 'packages', pkg, 'src', `${path.join('/')}.ts`));
    });
    expect(lost).toEqual([]);
  });
});

test('README.md counts the broken variants of the fault tests', () => {
  const sources = files('chaos/test/broken-*.test.ts').map(read).join('');
  const variants = sources.match(/^ +title: '/gm) ?? [];
  expect(read('README.md')).toContain(`run ${variants.length} broken variants of the product`);
});

/** In GitHub's form. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/openapi.json', () => {
  test('is what the console serves (`npx vitest run tests/docs.test.ts -u` writes it)', async () => {
    const server = await startConsole();
    await server.app.ready();
    const served = `${JSON.stringify(server.app.swagger(), null, 2)}\n`;
    await server.close();
    await expect(served).toMatchFileSnapshot(join(root, 'docs/openapi.json'));
  });
});
