/**
 * Writes ./generated from schema.prisma and the names in ./migrations, without a download. Prisma's
 * CLI fetches a native schema engine even for `generate`, which needs none. Naming any existing
 * executable avoids that.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const prismaCli = createRequire(import.meta.url).resolve('prisma/build/index.js');

const { status, error } = spawnSync(
  process.execPath,
  [prismaCli, 'generate', '--schema=schema.prisma', '--no-hints'],
  {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
    stdio: 'inherit',
  },
);
if (error) throw error;
process.exitCode = status ?? 1;

// A process compares them with the database's; it must not depend on files beside its code for
// that.
const names = readdirSync(new URL('migrations/', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
writeFileSync(
  new URL('generated/migrations.ts', import.meta.url),
  `/** The folders of ./migrations, oldest first. */\nexport const KNOWN_MIGRATIONS: readonly string[] = ${JSON.stringify(names, null, 2)};\n`,
);
