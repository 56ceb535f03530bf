import { defineConfig } from 'prisma/config';

// The CLI downloads its schema engine before these commands too, which do not use it. Naming any
// executable avoids that.
if (['format', 'generate', 'validate'].includes(process.argv[2] ?? '')) {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
}
// It asks no server for newer versions.
process.env.CHECKPOINT_DISABLE ??= '1';

/** Only commands that connect need it; a build has none. */
const { DATABASE_URL } = process.env;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(DATABASE_URL && { datasource: { url: DATABASE_URL } }),
});
