import { dirname } from 'node:path';
import { NO_FILTERS, readSchema, withSchemaEngine } from './engine.js';

export type Drift =
  | { readonly drifted: false }
  /** `difference`: the necessary changes of a migration, in words. */
  | { readonly drifted: true; readonly difference: string };

/**
 * Compares a migrated database with `schema.prisma`: finds a change to one without a migration for
 * the other. It does not compare CHECK constraints, since the schema language has none.
 */
export async function checkDrift(settings: {
  readonly databaseUrl: string;
  /** For tests: another schema than this package's. */
  readonly schemaFile?: URL | undefined;
}): Promise<Drift> {
  const schema = await readSchema(settings.schemaFile);
  const configDir = dirname(schema.files[0]?.path ?? '.');
  return withSchemaEngine(settings.databaseUrl, schema, async (engine) => {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', ...schema, configDir },
      to: { tag: 'schemaDatamodel', ...schema },
      script: false,
      // 2 when there is a difference, like `prisma migrate diff --exit-code`.
      exitCode: true,
      filters: NO_FILTERS,
    });
    return exitCode === 0 ? { drifted: false } : { drifted: true, difference: stdout ?? '' };
  });
}
