import type { AlterTableCmd, ColumnDef, Constraint, Node, RangeVar } from 'libpg-query';
import { parse } from 'libpg-query';
import type { Migration } from '../migrations.js';

/** Older migrations are applied nearly everywhere, and their files can no longer change. */
const RULES_SINCE = '20261128000000_attention_index';

/**
 * Finds statements that would lock a table while PostgreSQL reads or writes all of it. Tables
 * created in the same migration are empty, so they are exempt. A momentary lock does not matter:
 * the applier waits for it in short tries. Unknown statements are reported as well.
 * @param migrations all of them, oldest first
 * @returns one line each: the migration's name, and what to write instead
 */
export async function lockingStatements(migrations: readonly Migration[]): Promise<string[]> {
  const history = new History();
  const found: string[] = [];
  for (const migration of migrations) {
    const statements = await statementsOf(migration.sql);
    history.begin(statements);
    const problems = [...problemsOf(migration, statements, history)];
    if (migration.name > RULES_SINCE) {
      found.push(...problems.map((problem) => `${migration.name}: ${problem}`));
    }
    history.end(statements);
  }
  return found;
}

async function statementsOf(sql: string): Promise<Node[]> {
  // The parser fails on an empty text.
  if (sql.trim() === '') return [];
  const { stmts } = await parse(sql);
  return (stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
}

/** The tables of earlier migrations. */
class History {
  private readonly before = new Set<string>();
  private madeNow = new Set<string>();
  /** Columns that a CHECK proves to be not null, by `table.constraint`. */
  private readonly checks = new Map<string, readonly string[]>();
  private readonly validated = new Set<string>();

  begin(statements: readonly Node[]): void {
    this.madeNow = new Set(
      statements.flatMap(tablesMadeBy).filter((name) => !this.before.has(name)),
    );
  }

  isNew(table: string): boolean {
    return this.madeNow.has(table);
  }

  provesNotNull(table: string, column: string): boolean {
    return [...this.validated].some(
      (key) => key.startsWith(`${table}.`) && this.checks.get(key)?.includes(column),
    );
  }

  end(statements: readonly Node[]): void {
    for (const name of this.madeNow) this.before.add(name);
    for (const { table, command } of statements.flatMap(commandsOf)) {
      const constraint = constraintOf(command);
      const key = `${table}.${constraint?.conname ?? command.name}`;
      if (constraint?.contype === 'CONSTR_CHECK') {
        this.checks.set(key, columnsNotNull(constraint.raw_expr));
        if (!constraint.skip_validation) this.validated.add(key);
      }
      if (command.subtype === 'AT_ValidateConstraint') this.validated.add(key);
      if (command.subtype === 'AT_DropConstraint') this.validated.delete(key);
    }
  }
}

function* problemsOf(
  migration: Migration,
  statements: readonly Node[],
  history: History,
): Generator<string> {
  const validates = statements.flatMap(commandsOf).filter(isValidation).length;
  if (validates > 0 && statements.some((statement) => !commandsOf(statement).every(isValidation))) {
    yield 'VALIDATE CONSTRAINT beside other statements keeps their locks while it reads: give it a later folder of its own';
  }
  if (migration.outsideTransaction && statements.length !== 1) {
    yield 'outside a transaction there is one statement only: give each a folder of its own';
  }
  for (const statement of statements) {
    if (migration.outsideTransaction) yield* problemsOutside(statement);
    else yield* problemsInside(statement, history);
  }
}

function isValidation(of: { readonly command: AlterTableCmd }): boolean {
  return of.command.subtype === 'AT_ValidateConstraint';
}

/** Each of them can be run again after an interruption. */
function* problemsOutside(statement: Node): Generator<string> {
  if ('IndexStmt' in statement && statement.IndexStmt.concurrent) {
    const { idxname, if_not_exists } = statement.IndexStmt;
    if (idxname === undefined) yield 'an index outside a transaction needs a name';
    if (if_not_exists) yield 'IF NOT EXISTS takes an invalid index for the one that is wanted';
  } else if ('DropStmt' in statement && statement.DropStmt.concurrent) {
    if (!statement.DropStmt.missing_ok) {
      yield 'DROP INDEX CONCURRENTLY needs IF EXISTS: run again, it may find nothing';
    }
  } else {
    yield `${kindOf(statement)} does not belong outside a transaction: only CREATE and DROP INDEX CONCURRENTLY do`;
  }
}

/** They read and write no table as a whole, or only one that nobody knows yet. */
const HARMLESS: readonly string[] = [
  'CommentStmt',
  'CreateFunctionStmt',
  'CreateSeqStmt',
  'CreateStmt',
  'CreateTableAsStmt',
  'CreateTrigStmt',
  'DropStmt',
  'GrantStmt',
  'InsertStmt',
  'RenameStmt',
  'SelectStmt',
  'VariableSetStmt',
  'ViewStmt',
];

function* problemsInside(statement: Node, history: History): Generator<string> {
  for (const { kind, table } of writesOf(statement)) {
    if (history.isNew(table)) continue;
    yield `${kind} of ${table} locks each row until the end: let the worker do it in small parts`;
  }
  if ('IndexStmt' in statement) {
    const { relation, concurrent } = statement.IndexStmt;
    if (concurrent) yield 'CONCURRENTLY needs the first line `-- outside a transaction`';
    else if (!history.isNew(nameOf(relation))) {
      yield `CREATE INDEX on ${nameOf(relation)} stops everybody who writes: write CREATE INDEX CONCURRENTLY in a folder of its own`;
    }
  } else if ('DropStmt' in statement && statement.DropStmt.concurrent) {
    yield 'CONCURRENTLY needs the first line `-- outside a transaction`';
  } else if ('AlterTableStmt' in statement) {
    for (const { table, command } of commandsOf(statement)) {
      if (!history.isNew(table)) yield* problemsOfCommand(table, command, history);
    }
  } else if ('UpdateStmt' in statement || 'DeleteStmt' in statement || 'MergeStmt' in statement) {
    // Told above, with those inside WITH.
  } else if ('TransactionStmt' in statement) {
    yield 'the applier begins and ends the transaction: leave BEGIN and COMMIT out';
  } else if (!HARMLESS.includes(kindOf(statement))) {
    yield `${kindOf(statement)} is not known to be harmless: teach prisma/test/locking-statements.ts`;
  }
}

/** They only change the catalogue, and lock the table for a moment. */
const HARMLESS_COMMANDS: readonly (string | undefined)[] = [
  'AT_ColumnDefault',
  'AT_DropColumn',
  'AT_DropConstraint',
  'AT_DropIdentity',
  'AT_DropNotNull',
  'AT_SetRelOptions',
  'AT_SetStatistics',
  'AT_ValidateConstraint',
];

function* problemsOfCommand(
  table: string,
  command: AlterTableCmd,
  history: History,
): Generator<string> {
  const column = `${table}.${command.name}`;
  if (command.subtype === 'AT_AddConstraint') {
    const constraint = constraintOf(command);
    if (constraint !== undefined) yield* problemsOfConstraint(table, constraint);
  } else if (command.subtype === 'AT_AddColumn') {
    if (command.def !== undefined && 'ColumnDef' in command.def) {
      yield* problemsOfColumn(table, command.def.ColumnDef);
    }
  } else if (command.subtype === 'AT_SetNotNull') {
    if (!history.provesNotNull(table, command.name ?? '')) {
      yield `SET NOT NULL of ${column} reads the table: add CHECK (… IS NOT NULL) NOT VALID and validate it in folders before`;
    }
  } else if (command.subtype === 'AT_AlterColumnType') {
    yield `the new type of ${column} rewrites the table: add a column beside it`;
  } else if (!HARMLESS_COMMANDS.includes(command.subtype)) {
    yield `${command.subtype} of ${table} is not known to be harmless: teach prisma/test/locking-statements.ts`;
  }
}

function* problemsOfConstraint(table: string, constraint: Constraint): Generator<string> {
  const { contype, skip_validation, indexname, conname } = constraint;
  if (contype === 'CONSTR_CHECK' || contype === 'CONSTR_FOREIGN' || contype === 'CONSTR_NOTNULL') {
    if (!skip_validation) {
      yield `${conname ?? 'a constraint'} of ${table} reads the table: add it NOT VALID, and VALIDATE it in a later folder`;
    }
  } else if (indexname === undefined) {
    yield `${conname ?? 'a constraint'} of ${table} builds an index: build it CONCURRENTLY in a folder before, then add it USING INDEX`;
  }
}

function* problemsOfColumn(table: string, column: ColumnDef): Generator<string> {
  const name = `${table}.${column.colname}`;
  const constraints = constraintsOf(column.constraints);
  const preset = constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT');
  const type = (column.typeName?.names ?? []).map(textOf).join('.');
  if (/serial/.test(type) || constraints.some(isComputed) || hasVolatileDefault(preset)) {
    yield `${name} gets a value of its own in each row, which rewrites the table: add it without a default`;
  } else if (constraints.some(({ contype }) => contype === 'CONSTR_NOTNULL') && !preset) {
    yield `${name} is NOT NULL without a default, which fails on a table with rows: add it nullable`;
  }
  for (const constraint of constraints) {
    if (!PART_OF_THE_COLUMN.includes(constraint.contype)) {
      yield* problemsOfConstraint(table, {
        conname: `the constraint of ${column.colname}`,
        ...constraint,
      });
    }
  }
}

const PART_OF_THE_COLUMN: readonly (string | undefined)[] = [
  'CONSTR_DEFAULT',
  'CONSTR_GENERATED',
  'CONSTR_IDENTITY',
  'CONSTR_NOTNULL',
  'CONSTR_NULL',
];

function isComputed({ contype, generated_kind }: Constraint): boolean {
  if (contype === 'CONSTR_IDENTITY') return true;
  // A virtual column is computed on read.
  return contype === 'CONSTR_GENERATED' && generated_kind !== 'v';
}

/** One value for all rows, so PostgreSQL writes it into the catalogue. */
const STABLE: readonly string[] = ['now', 'statement_timestamp', 'transaction_timestamp'];

function hasVolatileDefault(preset: Constraint | undefined): boolean {
  return [...within(preset)].some(([kind, body]) => {
    if (kind !== 'FuncCall') return false;
    const names = (body as { funcname?: Node[] }).funcname ?? [];
    return !STABLE.includes(textOf(names.at(-1)));
  });
}

function writesOf(statement: Node): { kind: string; table: string }[] {
  return [...within(statement)].flatMap(([kind, body]) => {
    if (!['UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(kind)) return [];
    const { relation } = body as { relation?: RangeVar };
    return [{ kind: kind.replace('Stmt', '').toUpperCase(), table: nameOf(relation) }];
  });
}

function commandsOf(statement: Node): { table: string; command: AlterTableCmd }[] {
  if (!('AlterTableStmt' in statement)) return [];
  const table = nameOf(statement.AlterTableStmt.relation);
  return (statement.AlterTableStmt.cmds ?? []).flatMap((node) =>
    'AlterTableCmd' in node ? [{ table, command: node.AlterTableCmd }] : [],
  );
}

function tablesMadeBy(statement: Node): string[] {
  if ('CreateStmt' in statement) return [nameOf(statement.CreateStmt.relation)];
  if ('CreateTableAsStmt' in statement) return [nameOf(statement.CreateTableAsStmt.into?.rel)];
  return [];
}

function constraintOf(command: AlterTableCmd): Constraint | undefined {
  return command.subtype === 'AT_AddConstraint'
    ? constraintsOf(command.def === undefined ? [] : [command.def])[0]
    : undefined;
}

function constraintsOf(nodes: readonly Node[] = []): Constraint[] {
  return nodes.flatMap((node) => ('Constraint' in node ? [node.Constraint] : []));
}

/** The columns of `a IS NOT NULL AND b IS NOT NULL`. */
function columnsNotNull(expression: Node | undefined): string[] {
  if (expression === undefined) return [];
  if ('BoolExpr' in expression && expression.BoolExpr.boolop === 'AND_EXPR') {
    return (expression.BoolExpr.args ?? []).flatMap(columnsNotNull);
  }
  if (!('NullTest' in expression) || expression.NullTest.nulltesttype !== 'IS_NOT_NULL') return [];
  const { arg } = expression.NullTest;
  if (arg === undefined || !('ColumnRef' in arg)) return [];
  return [textOf(arg.ColumnRef.fields?.at(-1))];
}

/** Every node inside, with its kind. */
function* within(value: unknown): Generator<[kind: string, body: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [kind, body] of Object.entries(value)) {
    yield [kind, body];
    yield* within(body);
  }
}

function kindOf(statement: Node): string {
  return Object.keys(statement)[0] ?? '';
}

function nameOf(relation: RangeVar | undefined): string {
  return relation?.relname ?? '';
}

function textOf(node: Node | undefined): string {
  return node !== undefined && 'String' in node ? (node.String.sval ?? '') : '';
}
