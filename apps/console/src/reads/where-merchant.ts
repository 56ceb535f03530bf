import type { Merchants } from '@payonce/orders/access/merchants';
import { Prisma } from '@payonce/prisma/client';

interface WhereMerchant {
  OR?: { merchant?: { in: string[] }; AND?: { merchant: WhereText }[] }[];
}
type WhereText = { startsWith: string } | { endsWith: string };

/** Rows of these merchants, for any model that has `merchant`; every row for `all`. */
export function whereMerchant(merchants: Merchants): WhereMerchant {
  if (merchants === 'all') return {};
  const names = merchants.filter((entry) => !entry.includes('*'));
  const patterns = merchants.filter((entry) => entry.includes('*'));
  return {
    OR: [
      ...(names.length > 0 || patterns.length === 0 ? [{ merchant: { in: names } }] : []),
      ...patterns.map((pattern) => ({ AND: wherePattern(pattern) })),
    ],
  };
}

/**
 * Prisma appends `%` to a `startsWith` text and offers no `LIKE`. So this combines two conditions.
 * `startsWith` finds all parts in order, and `endsWith` finds the last one; that occurrence may be
 * the name's end.
 */
function wherePattern(pattern: string): { merchant: WhereText }[] {
  const last = pattern.slice(pattern.lastIndexOf('*') + 1);
  return [
    { merchant: { startsWith: likeOf(pattern) } },
    ...(last === '' ? [] : [{ merchant: { endsWith: likeOf(last) } }]),
  ];
}

/** The same as a condition of SQL. */
export function sqlMerchant(column: Prisma.Sql, merchants: Merchants): Prisma.Sql {
  if (merchants === 'all') return Prisma.sql`true`;
  return Prisma.sql`${column} LIKE ANY (${merchants.map(likeOf)}::text[])`;
}

/** A pattern for LIKE, in which `\`, `%` and `_` of the name are literal. */
function likeOf(entry: string): string {
  return entry.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
