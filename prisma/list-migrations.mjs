/**
 * Writes the names of ./migrations to ./generated/migrations.ts, as a part of `generate`. A process
 * compares them with the database's; it must not depend on files beside its code for that.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';

const names = readdirSync(new URL('migrations/', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
mkdirSync(new URL('generated/', import.meta.url), { recursive: true });
writeFileSync(
  new URL('generated/migrations.ts', import.meta.url),
  `/** The folders of ./migrations, oldest first. */\nexport const KNOWN_MIGRATIONS: readonly string[] = ${JSON.stringify(names, null, 2)};\n`,
);
