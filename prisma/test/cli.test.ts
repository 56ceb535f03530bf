import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { knownMigrations, packageFolder } from '../migrations.js';
import { listForEngine, NO_FILTERS, readSchema, withSchemaEngine } from './engine.js';
import { database, query, temporaryFolder } from './migration-support.js';

const ROOT = fileURLToPath(new URL('../', packageFolder));

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** `npx prisma …` in a folder, without DATABASE_URL; every download fails. */
function prisma(
  args: readonly string[],
  { cwd = ROOT, more = {} }: { cwd?: string; more?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, NO_COLOR: '1', PRISMA_ENGINES_MIRROR: 'http://127.0.0.1:9', ...more };
  return new Promise((resolve) => {
    execFile('npx', ['--no-install', 'prisma', ...args], { cwd, env }, (failure, out, error) => {
      resolve({ code: failure === null ? 0 : Number(failure.code), output: out + error });
    });
  });
}

/** The root as the CLI reads it, so that a generated client disturbs no other test. */
async function copyOfRoot(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'prisma'));
  for (const file of ['prisma.config.ts', 'prisma/schema.prisma', 'package.json']) {
    await cp(join(ROOT, file), join(folder, file));
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = files.map(async ({ parentPath, name }): Promise<[string, string]> => {
    const file = join(parentPath, name);
    return [file.slice(folder.length), await readFile(file, 'utf8')];
  });
  return Object.fromEntries(await Promise.all(contents));
}

test('`npx prisma validate` and `format` need no flag, database or download', async () => {
  for (const args of [['validate'], ['format', '--check']]) {
    const { code, output } = await prisma(args);
    expect({ code, output }).toEqual({ code: 0, output: expect.any(String) });
    expect(output).toContain('Loaded Prisma config from prisma.config.ts');
    expect(output).toContain('Prisma schema loaded from prisma/schema.prisma');
  }
});

test('`npx prisma generate` writes the client that the build uses', async () => {
  const folder = await copyOfRoot();
  const { code, output } = await prisma(['generate'], { cwd: folder });
  expect({ code, output }).toEqual({ code: 0, output: expect.any(String) });
  const ours = await contentsOf(join(ROOT, 'prisma/generated/prisma'));
  expect(Object.keys(ours).length).toBeGreaterThan(5);
  expect(await contentsOf(join(folder, 'prisma/generated'))).toEqual(
    Object.fromEntries(Object.entries(ours).map(([file, text]) => [`/prisma${file}`, text])),
  );
});

/**
 * `npx prisma migrate status` on a database. Prisma's engine diagnoses it as WebAssembly, and a
 * stub hands the diagnosis to the CLI.
 * @returns also the migrations that the CLI gave to the engine
 */
async function statusOf(databaseUrl: string) {
  const folder = new URL('migrations/', packageFolder);
  const migrationsList = await listForEngine(folder);
  const diagnosis = await withSchemaEngine(databaseUrl, await readSchema(), (engine) =>
    engine.diagnoseMigrationHistory({
      migrationsList,
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    }),
  );
  const request = join(await temporaryFolder(), 'request.json');
  const ended = await prisma(['migrate', 'status'], {
    more: {
      DATABASE_URL: databaseUrl,
      PRISMA_SCHEMA_ENGINE_BINARY: fileURLToPath(new URL('engine-stub.mjs', import.meta.url)),
      ENGINE_STUB_ANSWER: JSON.stringify(diagnosis),
      ENGINE_STUB_REQUEST: request,
    },
  });
  const { method, params } = JSON.parse(await readFile(request, 'utf8'));
  expect(method).toBe('diagnoseMigrationHistory');
  return { ...ended, names: params.migrationsList.migrationDirectories.map(pathOf) };
}

function pathOf({ path }: { path: string }): string {
  return path;
}

const LAST = knownMigrations().at(-1) ?? '';
const UP_TO_DATE = 'Database schema is up to date!';

test('`npx prisma migrate status` finds the migrations and the database', async () => {
  const { url, name } = await database('migrated');
  const { code, output, names } = await statusOf(url);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(UP_TO_DATE) });
  expect(output).toContain(`PostgreSQL database "${name}"`);
  expect(names).toEqual(knownMigrations());
});

test.each([
  [
    'names a migration that is not applied',
    `DELETE FROM _prisma_migrations WHERE migration_name = '${LAST}'`,
    { code: 1, output: expect.stringContaining(`have not yet been applied:\n${LAST}\n`) },
  ],
  [
    'names a migration that failed',
    `UPDATE _prisma_migrations SET finished_at = NULL, logs = 'ERROR: x', applied_steps_count = 0
     WHERE migration_name = '${LAST}'`,
    { code: 1, output: expect.stringContaining(`have failed:\n${LAST}\n`) },
  ],
  [
    'does not report a file that changed after it was applied',
    `UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name = '${LAST}'`,
    { code: 0, output: expect.stringContaining(UP_TO_DATE) },
  ],
])('`npx prisma migrate status` %s', async (_, statement, expected) => {
  const { url } = await database('migrated');
  await query(url, statement);
  const { code, output } = await statusOf(url);
  expect({ code, output }).toEqual(expected);
});
