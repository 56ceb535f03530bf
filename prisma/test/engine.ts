import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { MigrationList, SchemaEngine, SchemasContainer } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { packageFolder, readMigrations } from '../migrations.js';
import { engineAdapter } from './engine-adapter.js';

export { packageFolder };

/**
 * Prisma's schema engine as WebAssembly, for tests only: it compares the migrations with
 * `schema.prisma`, and its rows with those of our applier. Prisma's CLI downloads a native one;
 * this one comes with the npm package and goes through node-postgres.
 */
interface EngineModule {
  readonly SchemaEngine: typeof SchemaEngine;
  readonly __wbg_set_wasm: (exports: object) => void;
}

/** The used part; TypeScript declares WebAssembly in the browser's library only. */
interface WebAssemblyLike {
  instantiate(
    code: Uint8Array,
    imports: Readonly<Record<string, object>>,
  ): Promise<{ instance: { exports: Readonly<Record<string, unknown>> } }>;
}

/**
 * Runs `use` with an engine on one database, over a separate pool that is closed afterwards.
 * Nothing stays connected, so the database can be a template, or be dropped.
 */
export async function withSchemaEngine<T>(
  databaseUrl: string,
  schema: SchemasContainer,
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await loadEngineModule();
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 2,
    connectionTimeoutMillis: 5_000,
    application_name: 'payonce-migrate',
  });
  try {
    const engine = await SchemaEngine.new(
      { datamodels: schema.files.map((file): [string, string] => [file.path, file.content]) },
      () => undefined,
      bindMigrationAwareSqlAdapterFactory(engineAdapter(pool)),
    );
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** Compares every table. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * Once per process, however often this file is loaded (a test runner loads it once for each
 * project). The glue module is shared, so the remains of a first instance would call into the
 * second.
 */
const LOADED = Symbol.for('payonce.schema-engine');
const shared: typeof globalThis & { [LOADED]?: Promise<EngineModule> } = globalThis;

function loadEngineModule(): Promise<EngineModule> {
  shared[LOADED] ??= instantiate();
  return shared[LOADED];
}

/** The package's entry imports the .wasm as a module, which Node 20 does only behind a flag. */
async function instantiate(): Promise<EngineModule> {
  const glue = createRequire(import.meta.url).resolve(
    '@prisma/schema-engine-wasm/schema_engine_bg',
  );
  const module: EngineModule = await import(pathToFileURL(glue).href);
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyLike };
  const { instance } = await WebAssembly.instantiate(
    await readFile(glue.replace(/\.js$/, '.wasm')),
    { './schema_engine_bg.js': module },
  );
  module.__wbg_set_wasm(instance.exports);
  // The engine leaves its error here before it stops; without it only a TypeError is visible.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: failWith } });
  const start = instance.exports.__wbindgen_start;
  if (typeof start === 'function') start();
  return module;
}

function failWith(message: string): never {
  throw new Error(`the schema engine failed: ${message}`);
}

export async function readSchema(
  file: URL = new URL('schema.prisma', packageFolder),
): Promise<SchemasContainer> {
  return { files: [{ path: fileURLToPath(file), content: await readFile(file, 'utf8') }] };
}

/** The migrations in the engine's format, to compare it with our applier. */
export async function listForEngine(folder: URL): Promise<MigrationList> {
  const migrations = await readMigrations(folder);
  const lockfile = new URL('migration_lock.toml', folder);
  return {
    baseDir: fileURLToPath(folder),
    lockfile: { path: 'migration_lock.toml', content: await readFile(lockfile, 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}
