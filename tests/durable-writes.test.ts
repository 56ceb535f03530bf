import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const FOLDERS = ['packages/orders/src', 'apps/worker/src', 'apps/console/src'];

/** The only module that begins transactions, and sets how they commit. */
const TRANSACTIONS = join('packages/orders/src', 'database', 'transaction.ts');
/** They only read: in a transaction for one snapshot or a time-out, or by joined SELECTs. */
const READERS = [
  'reads/with-statement-timeout.ts',
  'reads/in-snapshot.ts',
  'reads/change-tokens.ts',
].map((name) => join('apps/console/src', name));
/** They read in the transactions that those begin. */
const READS = join('apps/console/src', 'reads/');
const WRITES_IN_TRANSACTION =
  /\btx\s*\.\s*\w+\s*\.\s*(create|update|upsert|delete)|`\s*(INSERT|UPDATE|DELETE)\b/;

const MODEL_WRITE =
  /\bprisma\s*\.\s*\w+\s*\.\s*(create|createMany|createManyAndReturn|update|updateMany|updateManyAndReturn|upsert|delete|deleteMany)\b/;
const EXECUTE = /\bprisma\s*\.\s*\$(executeRaw|executeRawUnsafe|queryRawUnsafe|transaction)\b/;
/** A query that is not a plain SELECT, or whose text is elsewhere. */
const QUERY = /\bprisma\s*\.\s*\$queryRaw\b[^`(]*(`(?!\s*SELECT\b)|\()/i;

/**
 * The places where a source writes through the client itself, with the session's
 * `synchronous_commit`.
 */
function directWrites(source: string): string[] {
  return [MODEL_WRITE, EXECUTE, QUERY].flatMap((pattern) => pattern.exec(source)?.[0] ?? []);
}

function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
}

test('every write goes through a transaction that commits durably, whatever the role prefers', () => {
  const files = sources();
  expect(files.length).toBeGreaterThan(150); // a search that read nothing finds nothing
  const found = files
    .filter((file) => file !== TRANSACTIONS && !READERS.includes(file))
    .map((file) => ({ file, writes: directWrites(readFileSync(join(root, file), 'utf8')) }));
  expect(found.filter(({ writes }) => writes.length > 0)).toEqual([]);
});

test('modules that begin a separate transaction, or read in it, write nothing in it', () => {
  const reads = sources().filter((file) => file.startsWith(READS));
  expect(reads).toEqual(expect.arrayContaining(READERS));
  const found = reads.filter((file) =>
    WRITES_IN_TRANSACTION.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(found).toEqual([]);
});

test.each([
  'await deps.prisma.$executeRaw`UPDATE orders SET status = 1`',
  'await prisma.$queryRaw<{ id: bigint }[]>`\n    INSERT INTO orders (number) VALUES (1) RETURNING id`',
  'await prisma.$queryRaw<Row[]>(statement)',
  'await prisma.deadLetter.updateMany({ where })',
  'await prisma.$transaction([a, b])',
])('a write outside of it is found: %s', (source) => {
  expect(directWrites(source)).toHaveLength(1);
});
