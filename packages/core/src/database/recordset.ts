import { Prisma } from '@payonce/prisma/client';

/** By the names that the statement gives them; bigint as text, bytes as base64 (`decode` in the statement). */
export type Row<Name extends string = string> = Readonly<Record<Name, Value>>;

type Value = string | number | Date | null;

type Type = 'int' | 'bigint' | 'text' | 'timestamptz';

/**
 * Rows as a table: `FROM ${recordset(rows, { order_id: 'bigint', key: 'text' })} AS r`. One text per column, in
 * PostgreSQL's own form of an array: it reads that in half the time that JSON takes it, and Prisma and pg do not look
 * into it. As in every text that is sent, half a surrogate pair becomes U+FFFD, and PostgreSQL refuses NUL.
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

/** Of JSON's escapes, an array's text knows these two: `\"` and `\\`. */
const OTHER_ESCAPES = /\\[bfnrtu]/;

/** Mostly JSON's array in other brackets, which is written natively. */
export function arrayLiteral(values: readonly Value[]): string {
  const json = JSON.stringify(values);
  if (!OTHER_ESCAPES.test(json)) return `{${json.slice(1, -1)}}`;
  return `{${values.map((value) => (typeof value === 'string' ? quoted(value) : JSON.stringify(value))).join()}}`;
}

function quoted(text: string): string {
  return `"${text.toWellFormed().replace(/["\\]/g, '\\$&')}"`;
}
