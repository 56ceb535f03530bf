import { describe, expect, test } from 'vitest';
import { readMigrations } from '../migrations.js';
import { lockingStatements } from './locking-statements.js';
import { folderOf } from './migration-support.js';

test('no migration locks a large table while it reads or writes all of it', async () => {
  expect(await lockingStatements(await readMigrations())).toEqual([]);
});

const BEFORE = {
  '20261128000000_attention_index': 'CREATE TABLE t (a int); CREATE TABLE u (a int);',
};
const MARK = '-- outside a transaction\n';

async function problemsOf(...files: readonly string[]): Promise<string[]> {
  const named = files.map((sql, index) => [`2026113000000${index}_planted`, sql]);
  const folder = await folderOf({ ...BEFORE, ...Object.fromEntries(named) });
  return lockingStatements(await readMigrations(folder));
}

describe('refused', () => {
  test.each([
    ['an index', 'CREATE INDEX i ON t (a)', /CREATE INDEX on t stops/],
    ['a unique index in a schema', 'CREATE UNIQUE INDEX i ON public."t" (a)', /CREATE INDEX on t/],
    ['an index behind another statement', 'SELECT 1; CREATE INDEX i ON t (a)', /on t stops/],
    [
      'an index on a table that exists',
      'CREATE TABLE IF NOT EXISTS t (a int); CREATE INDEX i ON t (a)',
      /on t stops/,
    ],
    ['CONCURRENTLY without the marker', 'CREATE INDEX CONCURRENTLY i ON t (a)', /the first line/],
    [
      'the marker in the second line',
      `\n${MARK}CREATE INDEX CONCURRENTLY i ON t (a)`,
      /first line/,
    ],
    ['DROP INDEX CONCURRENTLY without the marker', 'DROP INDEX CONCURRENTLY i', /first line/],
    [
      'two statements outside',
      `${MARK}CREATE INDEX CONCURRENTLY i ON t (a); CREATE INDEX CONCURRENTLY j ON t (a)`,
      /one statement only/,
    ],
    [
      'another statement outside',
      `${MARK}ALTER TABLE t ADD COLUMN b int`,
      /does not belong outside/,
    ],
    ['a plain index outside', `${MARK}CREATE INDEX i ON t (a)`, /does not belong outside/],
    ['an index without a name', `${MARK}CREATE INDEX CONCURRENTLY ON t (a)`, /needs a name/],
    [
      'an index IF NOT EXISTS',
      `${MARK}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)`,
      /invalid index/,
    ],
    ['a drop that cannot be repeated', `${MARK}DROP INDEX CONCURRENTLY i`, /needs IF EXISTS/],
    ['CHECK', 'ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)', /c of t reads the table/],
    ['CHECK without a name', 'ALTER TABLE t ADD CHECK (a > 0)', /a constraint of t reads/],
    [
      'FOREIGN KEY',
      'ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a)',
      /c of t reads/,
    ],
    ['NOT NULL as a constraint', 'ALTER TABLE t ADD CONSTRAINT c NOT NULL a', /c of t reads/],
    ['UNIQUE', 'ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)', /c of t builds an index/],
    ['PRIMARY KEY', 'ALTER TABLE t ADD PRIMARY KEY (a)', /builds an index/],
    ['EXCLUDE', 'ALTER TABLE t ADD CONSTRAINT c EXCLUDE USING gist (a WITH =)', /builds an index/],
    [
      'one of several commands',
      'ALTER TABLE t ADD COLUMN b int, ADD CONSTRAINT c CHECK (a > 0)',
      /c of t reads/,
    ],
    ['SET NOT NULL', 'ALTER TABLE t ALTER COLUMN a SET NOT NULL', /SET NOT NULL of t.a reads/],
    ['a new type', 'ALTER TABLE t ALTER COLUMN a TYPE bigint', /new type of t.a rewrites/],
    [
      'a volatile default',
      'ALTER TABLE t ADD COLUMN b uuid DEFAULT gen_random_uuid()',
      /t.b gets a value of its own/,
    ],
    [
      'a volatile default inside',
      'ALTER TABLE t ADD COLUMN b text DEFAULT (lower(random()::text))',
      /t.b gets a value/,
    ],
    [
      'clock_timestamp',
      'ALTER TABLE t ADD COLUMN b timestamptz DEFAULT clock_timestamp()',
      /t.b gets a value/,
    ],
    ['a serial column', 'ALTER TABLE t ADD COLUMN b bigserial', /t.b gets a value of its own/],
    [
      'an identity column',
      'ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS IDENTITY',
      /t.b gets a value/,
    ],
    [
      'a stored column',
      'ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1) STORED',
      /t.b gets a value/,
    ],
    [
      'NOT NULL without a default',
      'ALTER TABLE t ADD COLUMN b int NOT NULL',
      /t.b is NOT NULL without a default/,
    ],
    [
      'CHECK of a new column',
      'ALTER TABLE t ADD COLUMN b int CHECK (b > 0)',
      /constraint of b of t reads/,
    ],
    [
      'REFERENCES of a new column',
      'ALTER TABLE t ADD COLUMN b int REFERENCES u (a)',
      /constraint of b of t reads/,
    ],
    [
      'UNIQUE of a new column',
      'ALTER TABLE t ADD COLUMN b int UNIQUE',
      /constraint of b of t builds/,
    ],
    ['UPDATE', 'UPDATE t SET a = 1', /UPDATE of t locks each row/],
    ['UPDATE with a condition', 'UPDATE t SET a = u.a FROM u WHERE u.a = t.a', /UPDATE of t/],
    ['DELETE', 'DELETE FROM t', /DELETE of t locks/],
    ['DELETE inside WITH', 'WITH d AS (DELETE FROM t RETURNING a) SELECT * FROM d', /DELETE of t/],
    ['MERGE', 'MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE', /MERGE of t/],
    ['TRUNCATE', 'TRUNCATE t', /TruncateStmt is not known/],
    ['LOCK TABLE', 'LOCK TABLE t', /LockStmt is not known/],
    ['VACUUM FULL', 'VACUUM FULL t', /VacuumStmt is not known/],
    ['REINDEX', 'REINDEX TABLE t', /ReindexStmt is not known/],
    ['CLUSTER', 'CLUSTER t USING i', /ClusterStmt is not known/],
    [
      'a block that hides what it does',
      'DO $$ BEGIN UPDATE t SET a = 1; END $$',
      /DoStmt is not known/,
    ],
    ['SET UNLOGGED', 'ALTER TABLE t SET UNLOGGED', /AT_SetUnLogged of t is not known/],
    ['a partition', 'ALTER TABLE t ATTACH PARTITION u FOR VALUES IN (1)', /AT_AttachPartition/],
    ['COMMIT in the middle', 'SELECT 1; COMMIT; SELECT 2', /leave BEGIN and COMMIT out/],
  ])('%s', async (_what, sql, problem) => {
    expect((await problemsOf(sql)).join('\n')).toMatch(problem);
  });

  test('VALIDATE in the file of its NOT VALID, and in one with any other statement', async () => {
    const add = 'ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;';
    const validate = 'ALTER TABLE t VALIDATE CONSTRAINT c;';
    expect(await problemsOf(add + validate)).toEqual([expect.stringMatching(/later folder/)]);
    expect(await problemsOf(add, `${validate} ALTER TABLE u ADD COLUMN b int`)).toHaveLength(1);
    const both = 'ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN b int';
    expect(await problemsOf(add, both)).toHaveLength(1);
  });

  test('SET NOT NULL beside a check that is not validated, was dropped, or is of another column', async () => {
    const add = 'ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID';
    const validate = 'ALTER TABLE t VALIDATE CONSTRAINT c';
    const set = 'ALTER TABLE t ALTER COLUMN a SET NOT NULL';
    expect(await problemsOf(add, set)).toHaveLength(1);
    expect(await problemsOf(add, validate, 'ALTER TABLE t DROP CONSTRAINT c', set)).toHaveLength(1);
    const or = 'ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL OR a = 1) NOT VALID';
    expect(await problemsOf(or, validate, set)).toHaveLength(1);
    expect(await problemsOf(add, validate, set.replace(' t ', ' u '))).toHaveLength(1);
  });
});

describe('allowed', () => {
  test.each([
    [
      'anything on a table of the same file',
      `CREATE TABLE n (a int PRIMARY KEY REFERENCES u (a));
      CREATE INDEX i ON n (a); ALTER TABLE n ADD CONSTRAINT c CHECK (a > 0),
      ALTER COLUMN a SET NOT NULL; UPDATE n SET a = 1;`,
    ],
    ['a nullable column', 'ALTER TABLE t ADD COLUMN b int'],
    ['a column with one value for all rows', 'ALTER TABLE t ADD COLUMN b int NOT NULL DEFAULT 0'],
    [
      'a column that is now for all rows',
      'ALTER TABLE t ADD COLUMN b timestamptz NOT NULL DEFAULT now(), ADD COLUMN c date DEFAULT CURRENT_DATE',
    ],
    ['a virtual column', 'ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1) VIRTUAL'],
    ['an index of a folder of its own', `${MARK}CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);`],
    ['a drop of a folder of its own', `${MARK}DROP INDEX CONCURRENTLY IF EXISTS i;`],
    [
      'a constraint on an index that is there',
      'ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i',
    ],
    [
      'dropping and renaming',
      'ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t RENAME COLUMN a TO b; DROP TABLE u',
    ],
    ['inserting', 'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING'],
    ['a comment alone', '-- nothing'],
    ['nothing', ''],
  ])('%s', async (_what, sql) => {
    expect(await problemsOf(sql)).toEqual([]);
  });

  test('NOT VALID, then VALIDATE, then SET NOT NULL, each in a later folder', async () => {
    const files = [
      'ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL AND a > 0) NOT VALID, ADD CONSTRAINT d FOREIGN KEY (a) REFERENCES u (a) NOT VALID',
      'ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t VALIDATE CONSTRAINT d',
      'ALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT c',
    ];
    expect(await problemsOf(...files)).toEqual([]);
  });
});
