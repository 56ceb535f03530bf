import { Prisma } from '@payonce/prisma/client';

/** Values by column name; bigint as text, bytes as base64 (the statement calls `decode`). */
export type Row<Name extends string = string> = Readonly<Record<Name, Value>>;

type Value = string | number | Date | null;

type Type = 'int' | 'bigint' | 'text' | 'timestamptz';

/**
 * Rows as a table: `FROM ${recordset(rows, { order_id: 'bigint', key: 'text' })} AS r`. Sends one
 * text per column in PostgreSQL's array syntax. PostgreSQL reads it in half the time of JSON, and
 * Prisma and pg do not inspect it. As in every text sent, half a surrogate pair becomes U+FFFD, and
 * PostgreSQL refuses NUL.
 */
export function recordset<Name extends string>(
  rows: readonly Row<Name>[],
  types: Readonly<Record<Name, Type>>,
): Prisma.Sql {
  const columns = (Object.keys(types) as Name[]).map((name) => {
    const text = arrayLiteral(rows.map((row) => row[name]));
    return Prisma.sql`unnest(${text}::${Prisma.raw(types[name])}[]) AS ${Prisma.raw(name)}`;
  });
  return Prisma.sql`(SELECT ${Prisma.join(columns)})`;
}

/** Of JSON's escapes, array syntax knows only `\"` and `\\`. */
const OTHER_ESCAPES = /\\[bfnrtu]/;

/** Usually JSON's array with other brackets, which the runtime writes natively. */
export function arrayLiteral(values: readonly Value[]): string {
  const json = JSON.stringify(values);
  if (!OTHER_ESCAPES.test(json)) return `{${json.slice(1, -1)}}`;
  return `{${values.map((value) => (typeof value === 'string' ? quoted(value) : JSON.stringify(value))).join()}}`;
}

function quoted(text: string): string {
  return `"${text.toWellFormed().replace(/["\\]/g, '\\$&')}"`;
}
