import { Prisma } from '@payonce/prisma/client';

/** By the names that the statement gives them; bigint as text, bytes as base64 (`decode` in the statement). */
export type Row = Readonly<Record<string, string | number | Date | null>>;

/**
 * Rows as a table: `FROM ${recordset(rows)} AS r (order_id bigint, key text)`. One JSON text, since an array for each
 * column takes Prisma and pg twice as long. As in every text that is sent, half a surrogate pair becomes U+FFFD, and
 * PostgreSQL refuses NUL.
 */
export function recordset(rows: readonly Row[]): Prisma.Sql {
  const text = JSON.stringify(rows);
  // Whole pairs are written as they are: only a half is escaped.
  const whole = text.includes('\\ud') ? JSON.stringify(rows, wellFormed) : text;
  return Prisma.sql`json_to_recordset(${whole}::json)`;
}

function wellFormed(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}
