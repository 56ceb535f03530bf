import { HOLD_REASONS } from '@payonce/orders/database/hold-reason';
import { MOST_ORDER_NUMBER_CHARACTERS } from '@payonce/providers/event';
import { z } from 'zod';

/**
 * Building blocks of the private API. Amounts and IDs are decimal text: JSON's numbers are floats.
 */

/**
 * Free text of one line: no control character, no half of a surrogate pair, and not only blanks.
 */
export function line(maxCharacters: number) {
  return z
    .string()
    .regex(
      new RegExp(`^(?=.*\\S)[^\\p{Cc}\\p{Cs}]{1,${maxCharacters}}$`, 'u'),
      `must be one line of 1 to ${maxCharacters} characters`,
    );
}

export const merchant = line(64);
/** Its key in the channel file. */
export const channel = line(40);

/**
 * `out_trade_no`: Alipay allows letters, digits and `_`, up to 64; WeChat Pay also `-`, `|`, `*`
 * and `@`, up to 32. A number that neither could send back is refused here, before somebody pays
 * for it.
 */
export const orderNumber = z
  .string()
  .regex(
    new RegExp(`^[A-Za-z0-9_\\-|*@]{1,${MOST_ORDER_NUMBER_CHARACTERS}}$`),
    `must be 1 to ${MOST_ORDER_NUMBER_CHARACTERS} of A-Z, a-z, 0-9, _, -, |, * and @`,
  );

/**
 * Minor units. Up to 17 digits, like the parsers of the providers' amounts, and never a fraction.
 */
export const amount = z
  .string('must be minor units as decimal text: "8888" for 88.88 CNY')
  .regex(/^[1-9]\d{0,16}$/, 'must be minor units as decimal text: "8888" for 88.88 CNY');

/** A row's number in PostgreSQL (bigint). */
export const rowId = z
  .string()
  .regex(/^[1-9]\d{0,17}$/, 'must be an ID')
  .transform((text) => BigInt(text));

export const OUTCOMES = ['applied', 'duplicate', 'held', 'ignored'] as const;

export const holdReason = z.enum(HOLD_REASONS);

const DEFAULT_PAGE = 50;
const MAX_PAGE = 100;

export const page = {
  /** The maximum number of rows. */
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be 1 to ${MAX_PAGE}`)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_PAGE, `must be 1 to ${MAX_PAGE}`)
    .default(DEFAULT_PAGE)
    .describe(`Rows per page: 1 to ${MAX_PAGE}; ${DEFAULT_PAGE} if left out.`),
  /** `nextCursor` of the previous page. */
  cursor: rowId.optional().describe('`nextCursor` of the previous page.'),
};

/** PostgreSQL has no year 0. */
export const time = z.iso
  .datetime()
  .refine((text) => !text.startsWith('0000'), 'must be of the year 1 or later');
/** Minor units in responses; a refund total of zero is "0". */
export const money = z.string();

/** Both ends are included. Undefined without either. */
export function between(from: string | undefined, to: string | undefined) {
  if (from === undefined && to === undefined) return undefined;
  return { ...(from && { gte: new Date(from) }), ...(to && { lte: new Date(to) }) };
}

/** Cuts the fetched rows, one more than needed, to a page. */
export function pageOf<Row extends { readonly id: bigint }>(rows: readonly Row[], limit: number) {
  const kept = rows.slice(0, limit);
  return { rows: kept, nextCursor: rows.length > limit ? String(kept.at(-1)?.id) : null };
}

/** The reason for a decision. */
export const reason = line(500);
/**
 * The place of an event within its notification: sub-orders of a combined order; WeChat Pay allows
 * 50.
 */
export const position = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a position')
  .transform(Number);

/**
 * For the audit log: the person whom the program acts for, and the reason. Only the name of the key
 * is proved.
 */
export const auditFields = z.strictObject({
  operator: line(64).optional(),
  reason: reason.optional(),
});
/** The same for a final decision: the reason is required. */
export const decisionFields = auditFields.extend({ reason });
